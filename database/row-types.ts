import pg from 'pg';

/** Object ids of types (https://www.postgresql.org/docs/18/catalog-pg-type.html). */
const INT8 = 20;
const INT8_ARRAY = 1016;
const DATE = 1082;

type Parser = (value: string) => unknown;

type TypeId = Parameters<typeof pg.types.getTypeParser>[0];

// The driver splits it into strings; its list of type ids leaves out arrays.
const splitInt8Array: (value: string) => (string | null)[] = pg.types.getTypeParser(INT8_ARRAY as number as TypeId);

/**
 * Where rows differ from what `pg` gives by itself: int8 is a `bigint` (the driver's
 * string invites `+` to concatenate, a number loses digits beyond 2^53), and a date
 * stays text (the driver makes it midnight in the process's own time zone).
 */
const PARSERS: ReadonlyMap<number, Parser> = new Map<number, Parser>([
  [INT8, BigInt],
  [INT8_ARRAY, (value) => splitInt8Array(value).map((item) => (item === null ? null : BigInt(item)))],
  [DATE, (value) => value],
]);

/** For the `types` of a pool or client, so that the driver's global table stays as it is. */
export const rowTypes: pg.CustomTypesConfig = {
  // The overloads of getTypeParser tie the parser to each single id; here the id is any number.
  getTypeParser: ((id: number) => PARSERS.get(id) ?? pg.types.getTypeParser(id)) as typeof pg.types.getTypeParser,
};
