import { type DescMessage, type DescMethod, type Message, ScalarType } from '@bufbuild/protobuf';
import { MethodOptions_IdempotencyLevel as Level } from '@bufbuild/protobuf/wkt';

import { type Reason, REASONS } from '#kit';
import type { Owner } from '#proto/mesh/v1/options_pb.js';

/** How it is found out whose something is (`mesh.v1.Owner`). */
export type OwnerRule =
  | { readonly kind: 'request'; readonly field: string; ownerOf(request: Message): string }
  | { readonly kind: 'response'; readonly field: string; ownerOf(answer: Message): string; readonly missing: Reason }
  | { readonly kind: 'handler' };

/** Throws where what the contract says cannot be meant: a field that is not there would belong to nobody, or to everybody. */
export function readOwnerRule(desc: DescMethod, { by, missing }: Owner): OwnerRule {
  switch (by.case) {
    case 'requestField':
      if (desc.methodKind === 'client_streaming' || desc.methodKind === 'bidi_streaming') throw wrong(desc, 'a stream of requests has no one owner; use handler');
      return { kind: 'request', field: by.value, ownerOf: readerOf(desc, desc.input, by.value) };
    case 'responseField':
      if (desc.idempotency !== Level.NO_SIDE_EFFECTS) throw wrong(desc, 'the answer comes after the effect; use request_field or handler');
      return { kind: 'response', field: by.value, ownerOf: readerOf(desc, desc.output, by.value), missing: reasonOf(desc, missing) };
    case 'handler':
      if (by.value) return { kind: 'handler' };
  }
  throw wrong(desc, 'it says not by what; name request_field, response_field or handler');
}

/** Reads the string at the end of a path; empty where there is none, which is nobody's id. */
function readerOf(desc: DescMethod, message: DescMessage, path: string): (message: Message) => string {
  const names = localNames(desc, message, path);
  return (given) => {
    let value: unknown = given;
    // Every step of the path is a field of the message that the step before led to.
    for (const name of names) value = (value as Readonly<Record<string, unknown>> | undefined)?.[name];
    return typeof value === 'string' ? value : '';
  };
}

function localNames(desc: DescMethod, message: DescMessage, path: string): readonly string[] {
  let within: DescMessage | undefined = message;
  const names = path.split('.');
  return names.map((name, step) => {
    const field: DescMessage['fields'][number] | undefined = within?.fields.find((each) => each.name === name);
    const isLast = step === names.length - 1;
    const fits = field && !field.oneof && (isLast ? field.fieldKind === 'scalar' && field.scalar === ScalarType.STRING : field.fieldKind === 'message');
    if (!fits) throw wrong(desc, `"${path}" leads to no string of ${message.typeName}, through messages that are there once`);
    within = field.message;
    return field.localName;
  });
}

function reasonOf(desc: DescMethod, missing: string): Reason {
  const known: Readonly<Record<string, string>> = REASONS;
  if (Object.hasOwn(known, missing) && known[missing] === 'NOT_FOUND') return missing as Reason;
  throw wrong(desc, `missing is "${missing}", no reason of code NOT_FOUND; name that of what there is not`);
}

function wrong({ parent, name }: DescMethod, why: string): Error {
  return new Error(`${parent.typeName}/${name}: the owner in its access: ${why}`);
}
