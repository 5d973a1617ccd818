import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import type { DescService } from '@bufbuild/protobuf';

const GENERATED = join(import.meta.dirname, '../../../proto/gen/shop');

/** Every service of the shop, found in the generated code: a new contract is covered as soon as it is generated. */
export async function findServices(): Promise<DescService[]> {
  const files = (await readdir(GENERATED, { recursive: true })).filter((file) => file.endsWith('_pb.js'));
  const modules = await Promise.all(files.map((file): Promise<Record<string, unknown>> => import(pathToFileURL(join(GENERATED, file)).href)));
  return modules.flatMap((exported) => Object.values(exported)).filter(isService);
}

function isService(value: unknown): value is DescService {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'service';
}
