import type { HeaderMatch, IntentionAction, IntentionPermission, PathMatch } from '#discovery';
import { refusal } from '#kit';
import { compilePattern } from '#mesh';

/** Which calls a permission is for, as it is typed. */
export interface PermissionFlags {
  readonly path?: string;
  readonly pathPrefix?: string;
  readonly pathRegex?: string;
  /** Each such as `x-role=staff`; see {@link readHeader}. */
  readonly header: readonly string[];
  readonly ignoreCase: boolean;
}

/**
 * The permission that flags describe; undefined when they describe none, and the intention is
 * for every call. `methodPath` is that of a method named with its service. INVALID_ARGUMENT
 * for what Consul would refuse.
 */
export function readPermission(action: IntentionAction, flags: PermissionFlags, methodPath: string | undefined): IntentionPermission | undefined {
  const { path, pathPrefix, pathRegex, ignoreCase } = flags;
  const paths: PathMatch[] = [];
  if (methodPath !== undefined) paths.push({ kind: 'exact', value: methodPath });
  if (path !== undefined) paths.push({ kind: 'exact', value: beginningWithSlash(path) });
  if (pathPrefix !== undefined) paths.push({ kind: 'prefix', value: beginningWithSlash(pathPrefix) });
  if (pathRegex !== undefined) paths.push({ kind: 'regex', value: requirePattern(pathRegex) });
  if (paths.length > 1) throw refusal('INVALID_ARGUMENT', 'a permission has one path: name a method, or one of --path, --path-prefix and --path-regex');
  const headers = flags.header.map((text) => readHeader(text, ignoreCase));
  if (ignoreCase && !headers.some(({ kind }) => kind !== 'present' && kind !== 'regex')) {
    throw refusal('INVALID_ARGUMENT', '--ignore-case is for the value of a --header, and not for a pattern: write (?i) in front of that');
  }
  if (paths.length + headers.length === 0) return undefined;
  return { action, path: paths[0], methods: [], headers };
}

const KINDS: Readonly<Record<string, HeaderMatch['kind']>> = { '': 'exact', '^': 'prefix', $: 'suffix', '*': 'contains', '~': 'regex' };
const HEADER = /^(!?)(:?[a-z0-9_.-]+)(?:([\^$*~]?)=([^]*))?$/i;

/** `name`, `name=text`, or with `^=`, `$=`, `*=` its beginning, end or part, with `~=` a pattern; `!` in front turns it round. */
export function readHeader(text: string, ignoreCase: boolean): HeaderMatch {
  const [found, not, name = '', sign, value] = HEADER.exec(text) ?? [];
  if (found === undefined || value === '') {
    throw refusal('INVALID_ARGUMENT', `"${text}" is no header; write it like x-role, x-role=staff, x-role^=st, x-role$=ff, x-role*=taf, x-role~=st.*, or !x-role`);
  }
  const invert = not === '!';
  if (value === undefined) return { name: name.toLowerCase(), kind: 'present', value: '', ignoreCase: false, invert };
  const kind = KINDS[sign ?? ''] ?? 'exact';
  if (kind === 'regex') requirePattern(value);
  return { name: name.toLowerCase(), kind, value, ignoreCase: ignoreCase && kind !== 'regex', invert };
}

function beginningWithSlash(path: string): string {
  if (path.startsWith('/')) return path;
  throw refusal('INVALID_ARGUMENT', `a path begins with /, such as /shop.payment.v1.PaymentService/Charge; "${path}" does not`);
}

function requirePattern(pattern: string): string {
  try {
    compilePattern(pattern);
    return pattern;
  } catch (cause) {
    throw refusal('INVALID_ARGUMENT', cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
