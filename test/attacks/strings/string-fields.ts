import { create, type DescField, type DescMessage, type Message, ScalarType } from '@bufbuild/protobuf';
import { reflect, type ReflectMessage } from '@bufbuild/protobuf/reflect';

/** Fields from the request inwards; of a list the first entry is meant. */
export type FieldPath = readonly DescField[];

/** Messages in messages that are looked into: contracts have three at most, and some name themselves. */
const MAX_DEPTH = 5;

/** Every field of a request that takes text, and of the messages in it. */
export function stringFieldsOf(message: DescMessage, depth = 0): FieldPath[] {
  if (depth === MAX_DEPTH || isWellKnown(message)) return [];
  return message.fields.flatMap((field) => {
    if (isText(field)) return [[field]];
    const inner = messageOf(field);
    return inner ? stringFieldsOf(inner, depth + 1).map((path) => [field, ...path]) : [];
  });
}

export function nameOfPath(path: FieldPath): string {
  return path.map(({ name }) => name).join('.');
}

/** A copy of the request with this text in that field. What lies between must be set in the request. */
export function withText<M extends Message>(desc: DescMessage, request: M, path: FieldPath, text: string): M {
  const copy = create(desc, structuredClone(request));
  setText(reflect(desc, copy), path, text);
  // Made of the same descriptor.
  return copy as M;
}

function setText(message: ReflectMessage, [field, ...rest]: FieldPath, text: string): void {
  if (!field) throw new Error('a path has one field at least');
  if (field.fieldKind === 'scalar') message.set(field, text);
  else if (field.fieldKind === 'message') setText(message.get(field), rest, text);
  else if (field.fieldKind === 'list') {
    const list = message.get(field);
    const first: unknown = list.get(0);
    if (field.listKind === 'scalar') list.set(0, text);
    // A list of messages has nothing else in it.
    else setText(first as ReflectMessage, rest, text);
  } else throw new Error(`${field.name} takes no text`);
}

function isText(field: DescField): boolean {
  return (field.fieldKind === 'scalar' || (field.fieldKind === 'list' && field.listKind === 'scalar')) && field.scalar === ScalarType.STRING;
}

function messageOf(field: DescField): DescMessage | undefined {
  if (field.fieldKind === 'message') return field.message;
  if (field.fieldKind === 'list' && field.listKind === 'message') return field.message;
  if (field.fieldKind === 'map') throw new Error(`${field.parent.typeName}.${field.name} is a map, which this does not look into yet`);
  return undefined;
}

/** Of protobuf itself: their texts are not read as such. */
export function isWellKnown({ typeName }: DescMessage): boolean {
  return typeName.startsWith('google.protobuf.');
}
