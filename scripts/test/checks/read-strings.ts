import { parse } from '@babel/parser';

/** What a string is there for, as far as reasons of refusals go. */
export type StringRole =
  /** `refusal('…', …)` */
  | 'reason of a refusal'
  /** `new MeshError(code, '…', …)` */
  | 'reason of a MeshError'
  /** `reason: '…'` */
  | 'reason'
  /** `=== '…'`, `case '…'` */
  | 'comparison'
  /** A type, or a key of an object. */
  | 'type'
  /** `it('…')`, `describe('…')` */
  | 'title'
  | 'other';

export interface ReadString {
  readonly text: string;
  readonly line: number;
  readonly role: StringRole;
  /** The source of the statement it stands in. */
  readonly statement: string;
}

type SyntaxNode = Readonly<Record<string, unknown>> & { readonly type: string; readonly start: number; readonly end: number };

/** Every string of a file, whole or as a part of a template. */
export function readStrings(source: string): ReadString[] {
  const found: ReadString[] = [];
  visit(parse(source, { sourceType: 'module', plugins: ['typescript'] }).program, [], (node, above) => {
    const text = textOf(node);
    if (text === undefined) return;
    const statement = above.findLast(({ type }) => type.endsWith('Statement') || type.endsWith('Declaration')) ?? node;
    const line = source.slice(0, node.start).split('\n').length;
    found.push({ text, line, role: roleOf(node, above), statement: source.slice(statement.start, statement.end) });
  });
  return found;
}

function textOf(node: SyntaxNode): string | undefined {
  if (node.type === 'StringLiteral' && typeof node['value'] === 'string') return node['value'];
  if (node.type !== 'TemplateElement') return undefined;
  const value: unknown = (node['value'] as { cooked?: unknown }).cooked;
  return typeof value === 'string' ? value : undefined;
}

function roleOf(node: SyntaxNode, above: readonly SyntaxNode[]): StringRole {
  const parent = above.at(-1);
  if (parent === undefined) return 'other';
  switch (parent.type) {
    case 'CallExpression':
      return roleInCall(calledName(parent['callee']), argumentsOf(parent).indexOf(node));
    case 'TemplateLiteral':
      return isTitle(parent, above.at(-2)) ? 'title' : 'other';
    case 'NewExpression':
      return nameOf(parent['callee']) === 'MeshError' && argumentsOf(parent).indexOf(node) === 1 ? 'reason of a MeshError' : 'other';
    case 'ObjectProperty':
      if (parent['key'] === node) return 'type';
      return nameOf(parent['key']) === 'reason' ? 'reason' : 'other';
    case 'BinaryExpression':
    case 'SwitchCase':
      return 'comparison';
    case 'TSLiteralType':
      return 'type';
    default:
      return 'other';
  }
}

function roleInCall(called: string | undefined, position: number): StringRole {
  if (position !== 0) return 'other';
  if (called === 'refusal') return 'reason of a refusal';
  return called === 'it' || called === 'describe' ? 'title' : 'other';
}

function isTitle(template: SyntaxNode, call: SyntaxNode | undefined): boolean {
  return call?.type === 'CallExpression' && roleInCall(calledName(call['callee']), argumentsOf(call).indexOf(template)) === 'title';
}

/** `it` of `it(…)` and of `it.skip(…)`. */
function calledName(callee: unknown): string | undefined {
  return isNode(callee) && callee.type === 'MemberExpression' && ['it', 'describe'].includes(nameOf(callee['object']) ?? '') ? nameOf(callee['object']) : nameOf(callee);
}

function argumentsOf(call: SyntaxNode): readonly unknown[] {
  return Array.isArray(call['arguments']) ? call['arguments'] : [];
}

function nameOf(node: unknown): string | undefined {
  return isNode(node) && node.type === 'Identifier' && typeof node['name'] === 'string' ? node['name'] : undefined;
}

function visit(value: unknown, above: readonly SyntaxNode[], see: (node: SyntaxNode, above: readonly SyntaxNode[]) => void): void {
  if (Array.isArray(value)) {
    for (const item of value) visit(item, above, see);
  } else if (isNode(value)) {
    see(value, above);
    const below = [...above, value];
    for (const child of Object.values(value)) if (typeof child === 'object') visit(child, below, see);
  }
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string';
}
