import { parse, type ParserOptions } from '@babel/parser';

export type ImportStatement = {
  /** Undefined: the name is computed at run time. */
  readonly specifier: string | undefined;
  readonly line: number;
};

type SyntaxNode = Readonly<Record<string, unknown>> & { readonly type: string };

/**
 * Every import of a file: static, type-only, re-export, `import()` as expression and
 * as type, `require`. Type imports count, since they couple two modules all the same.
 */
export function readImports(source: string, file: string): ImportStatement[] {
  const { program } = parse(source, parserOptions(file));
  const found: ImportStatement[] = [];
  const see = (node: SyntaxNode): void => {
    const name = importedName(node);
    if (name !== undefined) found.push({ specifier: literal(name), line: lineOf(node) });
  };
  const statements = program.body as unknown;
  if (mayImportWithin.test(source)) visit(statements, see);
  else if (Array.isArray(statements)) statements.filter(isNode).forEach(see);
  return found;
}

/** `import(…)`, `require(…)` and blocks of declarations; all other imports are statements of the file itself. A walk takes twice as long as parsing. */
const mayImportWithin = /\b(?:import|require)\s*[(/]|\bdeclare\s+(?:module|namespace|global)\b/;

function parserOptions(file: string): ParserOptions {
  if (!/\.[mc]?ts$/.test(file)) return { sourceType: 'unambiguous', attachComment: false };
  return { sourceType: 'module', attachComment: false, plugins: [['typescript', { dts: /\.d\.[mc]?ts$/.test(file) }]] };
}

/** The node that names the imported module, or undefined when this node imports nothing. */
function importedName(node: SyntaxNode): unknown {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportAllDeclaration':
      return node['source'];
    case 'ExportNamedDeclaration':
      return node['source'] ?? undefined;
    case 'TSImportType':
      return node['argument'];
    case 'CallExpression':
      return isLoadCall(node['callee']) && Array.isArray(node['arguments']) ? node['arguments'][0] : undefined;
    default:
      return undefined;
  }
}

function isLoadCall(callee: unknown): boolean {
  if (!isNode(callee)) return false;
  return callee.type === 'Import' || (callee.type === 'Identifier' && callee['name'] === 'require');
}

function literal(node: unknown): string | undefined {
  if (!isNode(node)) return undefined;
  if (node.type === 'StringLiteral' && typeof node['value'] === 'string') return node['value'];
  if (node.type !== 'TemplateLiteral' || !Array.isArray(node['quasis']) || node['quasis'].length !== 1) return undefined;
  const value: unknown = (node['quasis'][0] as { value?: { cooked?: unknown } }).value?.cooked;
  return typeof value === 'string' ? value : undefined;
}

function lineOf(node: SyntaxNode): number {
  return (node['loc'] as { start?: { line?: number } } | undefined)?.start?.line ?? 1;
}

function visit(value: unknown, see: (node: SyntaxNode) => void): void {
  if (Array.isArray(value)) {
    for (const item of value) visit(item, see);
  } else if (isNode(value)) {
    see(value);
    for (const child of Object.values(value)) if (typeof child === 'object') visit(child, see);
  }
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string';
}
