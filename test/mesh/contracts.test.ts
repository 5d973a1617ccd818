import { create, type DescField, type DescMessage, type DescMethod, getOption, hasOption, type MessageInitShape, ScalarType } from '@bufbuild/protobuf';
import { MethodOptions_IdempotencyLevel as Level } from '@bufbuild/protobuf/wkt';
import { expect } from 'chai';

import { describeMethod, serviceName } from '#mesh';
import { field as fieldRules, type FieldRules } from '#proto/buf/validate/validate_pb.js';
import { method as methodPolicy } from '#proto/mesh/v1/options_pb.js';

import type { ServerCall } from '../../mesh/call.ts';
import { serverValidation } from '../../mesh/server/validation.ts';
import { findServices } from './idempotency/find-services.ts';
import { failureOf } from './support/outcome.ts';

const READS = /^(Get|BatchGet|List|Watch|Search|Count)/;

/** What gives out a new secret, which is kept nowhere and so cannot be given out again, or ends the session that it is called with. */
const OF_SECRETS: ReadonlySet<string> = new Set(
  ['SignIn', 'SignOutEverywhere', 'ChangePassword', 'DeleteAccount', 'IssueVerificationCode'].map((method) => `shop.user.v1.AccountService/${method}`),
);
/** What operators do to a state in which something is stuck: sent again it finds that state gone and is refused. */
const GUARDED: ReadonlySet<string> = new Set(['RetrySaga', 'ResolveSaga', 'SkipSaga'].map((method) => `shop.order.v1.SagaService/${method}`));
/** What changes something and is for everybody: each asks for a password, a mailed code or a refresh token, or is how one gets these. */
const PUBLIC_CHANGES: ReadonlySet<string> = new Set(
  ['Register', 'VerifyEmail', 'RequestPasswordReset', 'ResetPassword', 'SignIn', 'Refresh', 'SignOut', 'SignOutEverywhere', 'ChangePassword', 'DeleteAccount'].map(
    (method) => `shop.user.v1.AccountService/${method}`,
  ),
);
const ROLES: ReadonlySet<string> = new Set(['staff']);
/** Callers that are no service of the shop. */
const OTHER_CALLERS = ['operator', '*'];

/** The fields of a request, and of the shop's messages in it, by their path. */
function fieldsOf(message: DescMessage, path = message.name): { path: string; field: DescField }[] {
  return message.fields.flatMap((field) => {
    const here = `${path}.${field.name}`;
    const inner = field.message?.typeName.startsWith('shop.') ? fieldsOf(field.message, here) : [];
    return [{ path: here, field }, ...inner];
  });
}

const methods = (await findServices()).flatMap((service) => service.methods);
const services = new Set(methods.map(({ parent }) => serviceName(parent)));
const requestFields = methods.flatMap(({ input }) => fieldsOf(input));

describe('the contracts', () => {
  it('are found', () => {
    expect([...services]).to.include.members(['user', 'product', 'inventory', 'payment', 'shipping', 'order']);
  });

  for (const method of methods) describeContract(method);

  for (const { path, field } of requestFields) {
    it(`${path} has a rule that bounds it`, () => {
      expect(hasOption(field, fieldRules), 'a rule').to.equal(true);
      expect(missingBound(field, getOption(field, fieldRules))).to.equal(undefined);
    });
  }
});

function describeContract(method: DescMethod): void {
  const { fullName, access, deadlineMs, idempotent, hedged, keyField, repeat } = describeMethod(method);
  const policy = hasOption(method, methodPolicy) ? getOption(method, methodPolicy) : undefined;
  const isRead = READS.test(method.name);

  describe(fullName, () => {
    it('says who may call it', () => {
      expect(access, 'option (mesh.v1.method).access').not.to.equal(undefined);
    });

    it('lets in by names that there are', () => {
      for (const role of access?.roles ?? []) expect(ROLES).to.include(role);
      for (const service of access?.services ?? []) expect([...services, ...OTHER_CALLERS]).to.include(service);
    });

    if (access?.everybody && !isRead) {
      it('is public though it changes something, for a reason', () => {
        expect(PUBLIC_CHANGES).to.include(fullName);
      });
    }

    const userField = method.input.fields.find(({ name }) => name === 'user_id');
    if (userField && access?.asksWho && access.owner) {
      it('is for the user whom it names', () => {
        expect(access.owner).to.include({ kind: 'request', field: 'user_id' });
      });
    }

    it('has a deadline', () => {
      expect(policy?.deadline, 'option (mesh.v1.method).deadline').not.to.equal(undefined);
      expect(deadlineMs).to.be.within(1, method.methodKind === 'unary' ? 60_000 : 3_600_000);
    });

    if (isRead) {
      it('has no side effects, as its name says', () => {
        expect(method.idempotency).to.equal(Level.NO_SIDE_EFFECTS);
      });
    } else if (!GUARDED.has(fullName) && !OF_SECRETS.has(fullName)) {
      it('can be sent again: its effect has a key, or it is idempotent by itself', () => {
        expect(idempotent).to.equal(true);
        expect(method.idempotency).not.to.equal(Level.NO_SIDE_EFFECTS);
      });
    }

    if (policy?.idempotencyKey) {
      it('has its idempotency key in the request, as a string', () => {
        expect(method.input.fields.find(({ name }) => name === policy.idempotencyKey)?.scalar, policy.idempotencyKey).to.equal(ScalarType.STRING);
      });

      it('says how a repeat is answered, with one message as it is asked for', () => {
        expect(repeat, 'option (mesh.v1.method).repeat').to.be.oneOf(['original', 'resource']);
        expect(method.methodKind).to.equal('unary');
      });
    }

    if (repeat) {
      it('has an idempotency key, by which a repeat is known', () => {
        expect(keyField).not.to.equal(undefined);
      });
    }

    if (hedged) {
      it('may be on its way twice at once: it has no side effects, or its effect has a key', () => {
        expect(method.idempotency === Level.NO_SIDE_EFFECTS || keyField !== undefined).to.equal(true);
      });
    }

    it('has rules that can be evaluated', async () => {
      // An empty request is either in order or refused; a rule that does not compile is INTERNAL.
      expect(await outcomeOf(method, {})).to.be.oneOf(['passed', 'INVALID_ARGUMENT']);
    });

    for (const field of method.input.fields.filter(({ fieldKind, scalar }) => fieldKind === 'scalar' && scalar === 9)) {
      it(`refuses an over-long ${field.name}`, async () => {
        const refused = await failureOf(validate(method, { [field.localName]: 'x'.repeat(10_000) }));
        expect(refused.violations.map((violation) => violation.field)).to.include(field.name);
      });
    }
  });
}

/** Which bound a field's rule lacks, so that no request is larger or smaller than the services expect. */
function missingBound(field: DescField, { type, required, cel }: FieldRules): string | undefined {
  if (field.fieldKind === 'message') return required || cel.length > 0 ? undefined : 'required, or a rule of its own';
  switch (type.case) {
    case 'string':
      return type.value.maxLen || /^\^.*\$$/.test(type.value.pattern) ? undefined : 'max_len, or an anchored pattern';
    case 'repeated':
      return type.value.maxItems ? undefined : 'max_items';
    case 'int32':
    case 'int64':
      return type.value.greaterThan.case ? undefined : 'a least value';
    default:
      return type.case ? undefined : 'a rule';
  }
}

function validate(method: DescMethod, init: MessageInitShape<DescMessage>): Promise<unknown> {
  const request = create(method.input, init);
  // The validation link reads nothing else of a call.
  const call = { method: describeMethod(method), request } as unknown as ServerCall;
  return serverValidation(async () => request)(call);
}

function outcomeOf(method: DescMethod, init: MessageInitShape<DescMessage>): Promise<string> {
  return validate(method, init).then(
    () => 'passed',
    ({ code }: { code?: string }) => code ?? 'INTERNAL',
  );
}
