import { Metadata, type MetadataOptions } from '@grpc/grpc-js';

/** Text, or bytes under a name that ends in `-bin`; several where a name was given more than once. */
export type HeaderValue = string | Uint8Array | readonly (string | Uint8Array)[];

/** Headers or trailers by lower-case name, as gRPC has them. */
export type Headers = Record<string, HeaderValue>;

/** Metadata whose bytes go out in base64 without padding, as gRPC's HTTP/2 mapping asks of senders; grpc-js pads them. */
export class UnpaddedMetadata extends Metadata {
  /** grpc-js sends a clone. */
  override clone(): UnpaddedMetadata {
    const copy = new UnpaddedMetadata(this.getOptions());
    copy.merge(this);
    return copy;
  }

  override toHttp2Headers(): ReturnType<Metadata['toHttp2Headers']> {
    const headers = super.toHttp2Headers();
    for (const name in headers) if (name.endsWith('-bin')) headers[name] = unpadded(headers[name]);
    return headers;
  }
}

function unpadded<Value>(value: Value): Value | string | string[] {
  if (typeof value === 'string') return value.replace(/=+$/, '');
  return Array.isArray(value) ? value.map((each) => unpadded(String(each)) as string) : value;
}

/** Headers as grpc-js takes them. Throws for a name or value that gRPC does not allow. */
export function toMetadata(headers: Headers, options?: MetadataOptions): Metadata {
  const metadata = new UnpaddedMetadata(options);
  for (const name in headers) addHeader(metadata, name, headers[name] as HeaderValue);
  return metadata;
}

/** Adds the values behind those that are there under this name. */
export function addHeader(metadata: Metadata, name: string, value: HeaderValue): void {
  if (typeof value === 'string') metadata.add(name, value);
  else if (value instanceof Uint8Array) metadata.add(name, Buffer.from(value));
  else for (const each of value) addHeader(metadata, name, each);
}

/** Without Object's own names: a header may be called `constructor` or `__proto__`. */
export function noHeaders(): Headers {
  // Object.create is typed as `any`.
  return Object.create(null) as Headers;
}

/** Headers whose names are lower-case, as the wire makes them; values of one name in two spellings stand together. */
export function lowerCased(headers: Readonly<Headers>): Headers {
  const lowered = noHeaders();
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase();
    const before = lowered[lower];
    lowered[lower] = before === undefined ? value : [before, value].flat();
  }
  return lowered;
}

export function fromMetadata(metadata: Metadata): Headers {
  const headers = noHeaders();
  for (const name of Object.keys(metadata.getMap())) {
    const values = metadata.get(name);
    headers[name] = values.length === 1 ? (values[0] as string | Buffer) : values;
  }
  return headers;
}

/** The first value, if it is text. */
export function firstText(value: HeaderValue | undefined): string | undefined {
  const first = typeof value === 'object' && !(value instanceof Uint8Array) ? value[0] : value;
  return typeof first === 'string' ? first : undefined;
}
