const words = (text: string): readonly string[] => text.trim().split(/\s+/);

/** Words that cannot name a service, under whose words they are. */
export const RESERVED: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  // ECMA-262, 12.7.2, with those of strict mode and TypeScript's own types.
  [
    'TypeScript',
    new Set(
      words(`
        abstract any arguments as async await bigint boolean break case catch class const constructor continue debugger
        declare default delete do else enum eval export extends false finally for from function get global if implements
        import in infer instanceof interface is keyof let module namespace never new null number object of override
        package private protected prototype public readonly require return satisfies set static string super switch
        symbol this throw true try type typeof undefined unique unknown using var void while with yield`),
    ),
  ],
  // https://protobuf.dev/reference/protobuf/proto3-spec, and the packages that contracts refer to by their first word:
  // within shop.google.v1 the name google.protobuf.Timestamp means something else.
  [
    'protobuf',
    new Set(
      words(`
        bool buf bytes double edition enum extend extensions float google group grpc import inf map max message nan oneof
        option optional package public repeated required reserved returns rpc service shop stream string syntax to weak`),
    ),
  ],
  // What is planned, what `mesh up` shows and logs beside the services, and what docker-compose.yml runs beside them.
  ['shopmesh', new Set(words('console consul gateway jaeger mesh migrate monolith postgres stripe supervisor up'))],
]);

/** Words that cannot name a table without quotes: `pg_get_keywords()` of Postgres 18, catcode R and T. */
export const RESERVED_IN_SQL: ReadonlySet<string> = new Set(
  words(`
    all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate collation
    column concurrently constraint create cross current_catalog current_date current_role current_schema current_time
    current_timestamp current_user default deferrable desc distinct do else end except false fetch for foreign freeze
    from full grant group having ilike in initially inner intersect into is isnull join lateral leading left like
    limit localtime localtimestamp natural not notnull null offset on only or order outer overlaps placing primary
    references returning right select session_user similar some symmetric system_user table tablesample then to
    trailing true union unique user using variadic verbose when where window with`),
);
