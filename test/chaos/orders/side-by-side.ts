/** Does `work` with each entry, in their order, `lanes` of them at once. */
export async function sideBySide<T>(lanes: number, entries: readonly T[], work: (entry: T) => Promise<unknown>): Promise<void> {
  const left = entries.values();
  const lane = async (): Promise<void> => {
    for (const entry of left) await work(entry);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}
