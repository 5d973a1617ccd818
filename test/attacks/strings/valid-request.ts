import { create, type DescField, type DescMessage, type DescMethod, type Message, ScalarType } from '@bufbuild/protobuf';
import { reflect } from '@bufbuild/protobuf/reflect';

import { newId, systemClock, systemRandom } from '#kit';
import { describeMethod } from '#mesh';

import { isWellKnown } from './string-fields.ts';

/** What there is in the shop that requests can be about, by the name of the field. */
export type Subjects = Readonly<Record<string, string>>;

const newUuid = (): string => newId(systemClock, systemRandom);

/** Texts that keep the rules of the contracts, by the name of the field. All others are a word. */
const TEXTS: Readonly<Record<string, () => string>> = {
  request_id: newUuid,
  email: () => `${newUuid()}@example.com`,
  refresh_token: () => 'A'.repeat(64),
  payment_method: () => 'pm_card_visa',
  currency_code: () => 'EUR',
  country_code: () => 'DE',
  page_token: () => '',
};
const WORD = 'a';

/**
 * A request that its contract's rules let through, about what there is in the shop where it names such a thing. What
 * identifies its effect is new, so that it has one.
 */
export function validRequest(method: DescMethod, subjects: Subjects): Message {
  return fill(method.input, subjects, describeMethod(method).keyField);
}

function fill(desc: DescMessage, subjects: Subjects, keyField?: string): Message {
  const message = reflect(desc, create(desc));
  for (const field of desc.fields) {
    if (field.fieldKind === 'message' && isWellKnown(field.message)) continue;
    if (field.fieldKind === 'message') message.set(field, reflect(field.message, fill(field.message, subjects)));
    else if (field.fieldKind === 'scalar') message.set(field, scalarOf(field, field.scalar, subjects, field.localName === keyField));
    else if (field.fieldKind === 'list' && field.listKind !== 'enum') message.get(field).add(entryOf(field, subjects));
  }
  return message.message;
}

function entryOf(field: DescField & { fieldKind: 'list' }, subjects: Subjects): unknown {
  if (field.listKind === 'message') return reflect(field.message, fill(field.message, subjects));
  return field.listKind === 'scalar' ? scalarOf(field, field.scalar, subjects, false) : undefined;
}

function scalarOf({ name }: DescField, scalar: ScalarType, subjects: Subjects, isKey: boolean): unknown {
  switch (scalar) {
    case ScalarType.STRING:
      if (isKey) return newUuid();
      // `product_ids` are of what `product_id` is.
      return subjects[name.replace(/_ids$/, '_id')] ?? TEXTS[name]?.() ?? WORD;
    case ScalarType.BOOL:
      return false;
    case ScalarType.BYTES:
      return new Uint8Array();
    case ScalarType.INT64:
    case ScalarType.UINT64:
      return 1n;
    default:
      return name === 'nanos' ? 0 : 1;
  }
}
