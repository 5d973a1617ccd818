import { type Output, table } from '../output.ts';
import { loadSettings, SETTINGS } from '../settings.ts';

const MASK = '********';

/** `mesh config`: every setting as it takes effect here, and where it comes from. */
export async function configCommand(output: Output): Promise<void> {
  const { values, origins } = await loadSettings();
  const settings = Object.entries(SETTINGS).map(([name, { desc = '', secret }]) => {
    // loadSettings has a value for every declared name.
    const value = String((values as Readonly<Record<string, unknown>>)[name]);
    return { name, value: secret && value ? MASK : value, origin: origins[name] ?? 'default', doc: desc };
  });
  output.answer(
    () => table([['SETTING', 'VALUE', 'ORIGIN', 'MEANING'], ...settings.map(({ name, value, origin, doc }) => [name, value || '-', origin, doc])]),
    settings,
  );
}
