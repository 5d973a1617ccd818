/** What a text can be meant to become, where it is put together with others instead of being handed over as a value. */
export const KINDS = ['sql', 'template', 'log', 'header'] as const;
export type Kind = (typeof KINDS)[number];

/** What is left where an expression was worked out: no other number like it comes up in a shop. */
export const RENDERED = String(1_313 * 1_717);
export const FORGED_LINE = 'forged by an attack';
export const FORGED_ADDRESS = 'forged@example.com';

const EXPRESSION = '1313*1717';
const LOG_LINE = `{"level":"fatal","time":"2026-01-01T00:00:00.000Z","msg":"${FORGED_LINE}"}`;

/** Texts of a kind. `table` is what SQL is to lose. */
export function hostileStrings(kind: Kind, table: string): readonly string[] {
  return HOSTILE[kind].map((text) => text.replaceAll('TABLE_NAME', table));
}

const HOSTILE: Readonly<Record<Kind, readonly string[]>> = {
  sql: [
    `'; DROP TABLE TABLE_NAME CASCADE; --`,
    `x'; DELETE FROM TABLE_NAME; --`,
    `' OR '1'='1' --`,
    `' || (${EXPRESSION})::text || '`,
    `\\'; TRUNCATE TABLE_NAME CASCADE; --`,
    `$$; DROP TABLE TABLE_NAME CASCADE; $$`,
    `x' UNION SELECT (${EXPRESSION})::text --`,
    `$1::text; --`,
    '%',
    `a\u0000'; DROP TABLE TABLE_NAME; --`,
  ],
  template: [
    `\${${EXPRESSION}}`,
    `{{${EXPRESSION}}}`,
    `<%= ${EXPRESSION} %>`,
    `#{${EXPRESSION}}`,
    `{{constructor.constructor('return ${EXPRESSION}')()}}`,
    `\`+(${EXPRESSION})+\``,
    `$(expr 1313 \\* 1717)`,
    '__proto__',
    'constructor',
    '%s %o %d %j',
  ],
  log: [`ok\n${LOG_LINE}`, `ok\r\n${LOG_LINE}`, `ok"}\n${LOG_LINE}`, `ok\u2028${LOG_LINE}`, `ok\u0085${LOG_LINE}`, `\u001b[2J\u001b[1;1H${FORGED_LINE}`, `ok\u0000${FORGED_LINE}`, `\u202e${FORGED_LINE}`, `\uffff${FORGED_LINE}`],
  header: [
    `Some One\r\nBcc: ${FORGED_ADDRESS}`,
    `Some One\nBcc: ${FORGED_ADDRESS}`,
    `Some One\rBcc: ${FORGED_ADDRESS}`,
    `Some One\r\n\r\n${FORGED_LINE}`,
    `Some One" <${FORGED_ADDRESS}>, "`,
    `Some One, ${FORGED_ADDRESS}`,
    `=?utf-8?q?Some=0d=0aBcc:_${FORGED_ADDRESS}?=`,
    `Some One%0d%0aBcc: ${FORGED_ADDRESS}`,
    `Some One\u2028Bcc: ${FORGED_ADDRESS}`,
  ],
};
