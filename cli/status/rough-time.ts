/** A time span in the largest unit of which there are two: `119 s`, `2 min`, `47 h`, `2 d`. */
export function roughTime(ms: number): string {
  // The clocks of two machines differ.
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}
