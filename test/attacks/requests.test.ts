import { expect } from 'chai';

import { createRuleValidator } from '../../mesh/create-rule-validator.ts';
import { findServices } from '../mesh/idempotency/find-services.ts';
import { hostileStrings, KINDS } from './strings/hostile-strings.ts';
import { nameOfPath, stringFieldsOf, withText } from './strings/string-fields.ts';
import { validRequest } from './strings/valid-request.ts';

const methods = (await findServices()).flatMap((service) => service.methods);

describe('the requests of the attacks', () => {
  const validator = createRuleValidator();

  it('keep every rule of their contracts, so that a hostile text is all that is wrong with one', () => {
    for (const method of methods) {
      const { kind, violations = [] } = validator.validate(method.input, validRequest(method, {}));
      expect(kind, `${method.parent.typeName}/${method.name}: ${violations.join('; ')}`).to.equal('valid');
    }
  });

  it('have hostile texts in every text field, also of messages in messages and of lists', () => {
    const paths = methods.flatMap((method) => stringFieldsOf(method.input).map((path) => `${method.name} ${nameOfPath(path)}`));
    expect(paths).to.include.members(['PlaceOrder lines.unit_price.currency_code', 'PlaceOrder shipping_address.city', 'CreateProduct name', 'RetrySaga why']);
  });

  it('are all of the bytes that were meant', () => {
    for (const method of methods) {
      for (const path of stringFieldsOf(method.input)) {
        for (const text of KINDS.flatMap((kind) => hostileStrings(kind, 'orders'))) {
          const request = withText(method.input, validRequest(method, {}), path, text);
          expect(JSON.stringify(Object.values(request), (_, value: unknown) => (typeof value === 'bigint' ? 0 : value))).to.include(JSON.stringify(text));
        }
      }
    }
  });
});
