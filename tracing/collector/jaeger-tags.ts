import type { JaegerTag } from '../jaeger-api.ts';
import { isRecord, type OtlpRecord } from './otlp-json.ts';

/** The attributes of a span, resource or event by key; values are OTLP's `AnyValue`s, still unread. */
export function attributesOf(owner: OtlpRecord): Record<string, unknown> {
  const list = Array.isArray(owner['attributes']) ? owner['attributes'].filter(isRecord) : [];
  return Object.fromEntries(list.map((attribute) => [stringOf(attribute['key']), attribute['value']]));
}

/** Attributes as Jaeger's tags, sorted by key as Jaeger 2 has them. */
export function tagsOf(attributes: Readonly<Record<string, unknown>>): JaegerTag[] {
  const keys = Object.keys(attributes).sort();
  return keys.map((key) => toTag(key, attributes[key]));
}

export function stringOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function toTag(key: string, anyValue: unknown): JaegerTag {
  if (!isRecord(anyValue)) return { key, type: 'string', value: '' };
  const { boolValue, intValue, doubleValue, bytesValue } = anyValue;
  if (typeof boolValue === 'boolean') return { key, type: 'bool', value: boolValue };
  if (intValue !== undefined) return { key, type: 'int64', value: Number(intValue) };
  if (typeof doubleValue === 'number') return { key, type: 'float64', value: doubleValue };
  if (typeof bytesValue === 'string') return { key, type: 'binary', value: bytesValue };
  const value = plainOf(anyValue);
  return { key, type: 'string', value: typeof value === 'string' ? value : JSON.stringify(value) };
}

/**
 * An `AnyValue` as the value it stands for; Jaeger shows lists and maps as JSON. `levels` bounds how deep
 * it is read, since how deep it is, its sender decides.
 */
function plainOf(anyValue: unknown, levels = 16): unknown {
  if (!isRecord(anyValue) || levels === 0) return '';
  const { stringValue, boolValue, intValue, doubleValue, bytesValue, arrayValue, kvlistValue } = anyValue;
  const inner = (value: unknown): unknown => plainOf(value, levels - 1);
  if (isRecord(arrayValue)) return Array.isArray(arrayValue['values']) ? arrayValue['values'].map(inner) : [];
  if (isRecord(kvlistValue)) {
    const attributes = attributesOf({ attributes: kvlistValue['values'] });
    return Object.fromEntries(Object.entries(attributes).map(([key, value]) => [key, inner(value)]));
  }
  if (intValue !== undefined) return Number(intValue);
  return stringValue ?? boolValue ?? doubleValue ?? bytesValue ?? '';
}
