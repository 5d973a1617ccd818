import { OPERATOR } from '../../cli/caller-names.ts';
import type { DeclaredCall } from './declared-calls.ts';
import { HEAD } from './policy-text.ts';

/** The configuration entry of one service: who may call it. Everybody else is left to the default, which is to be `deny`. */
export function intentionEntry(name: string, calls: readonly DeclaredCall[]): string {
  const sources = [
    ...calls.map(source),
    source({ caller: OPERATOR, why: 'the commands of operators' }),
  ];
  return `${HEAD}Kind = "service-intentions"\nName = "${name}"\n\nSources = [\n${sources.join('')}]\n`;
}

function source({ caller, why, paths }: Pick<DeclaredCall, 'caller' | 'why' | 'paths'>): string {
  const said = paths ? `    Permissions = [\n${paths.map(permission).join('')}    ]\n` : '    Action      = "allow"\n';
  return `  {\n    Name        = "${caller}"\n    Description = "${why}"\n${said}  },\n`;
}

function permission(path: string): string {
  return `      { Action = "allow", HTTP = { PathExact = "${path}" } },\n`;
}
