/** Values travel apart from the text: a DO block takes no parameters, but reads settings. */
export const TELL_GRANT = `SELECT set_config('shopmesh.schema', $1, false), set_config('shopmesh.role', $2, false), set_config('shopmesh.versions', $3, false)`;

// Two sessions that change the privileges of one object at once would break each other off. Whoever may not change the
// database's own privileges leaves them: CONNECT is everybody's there, or somebody else sees to it. What was granted by hand
// is taken back, so that the role has what is written here.
const LET_IN = `
  PERFORM pg_advisory_xact_lock(hashtextextended('shopmesh.access', 0));
  IF pg_has_role((SELECT datdba FROM pg_database WHERE datname = current_database()), 'USAGE') THEN
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), in_role);
  END IF;
  EXECUTE format('REVOKE ALL ON SCHEMA %I FROM PUBLIC, %I', in_schema, in_role);
  EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', in_schema, in_role);
  EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA %I FROM PUBLIC, %I', in_schema, in_role);
  EXECUTE format('REVOKE ALL ON ALL SEQUENCES IN SCHEMA %I FROM PUBLIC, %I', in_schema, in_role);`;

/** See `SchemaAccess`. An identity column needs no privilege on its sequence. Triggers run whatever function they were made with. */
export const GRANT_TABLES = `DO $$
DECLARE
  in_schema text := current_setting('shopmesh.schema');
  in_role text := current_setting('shopmesh.role');
  version_table text;
BEGIN
  ${LET_IN}
  EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO %I', in_schema, in_role);
  EXECUTE format('GRANT USAGE ON ALL SEQUENCES IN SCHEMA %I TO %I', in_schema, in_role);
  EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO %I', in_schema, in_role);
  EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I GRANT USAGE ON SEQUENCES TO %I', in_schema, in_role);
  FOR version_table IN SELECT json_array_elements_text(current_setting('shopmesh.versions')::json) LOOP
    EXECUTE format('REVOKE INSERT, UPDATE, DELETE ON %I.%I FROM %I', in_schema, version_table, in_role);
  END LOOP;
END $$`;

/** See `SchemaAccess`. Everybody may run a new function: here nobody may, but for the role, and those that run as their owner. */
export const GRANT_FUNCTIONS = `DO $$
DECLARE
  in_schema text := current_setting('shopmesh.schema');
  in_role text := current_setting('shopmesh.role');
  definer regprocedure;
BEGIN
  ${LET_IN}
  EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA %I TO %I', in_schema, in_role);
  EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I GRANT SELECT ON TABLES TO %I', in_schema, in_role);
  EXECUTE format('REVOKE ALL ON ALL FUNCTIONS IN SCHEMA %I FROM PUBLIC, %I', in_schema, in_role);
  FOR definer IN SELECT oid FROM pg_proc WHERE pronamespace = quote_ident(in_schema)::regnamespace AND prosecdef LOOP
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', definer, in_role);
  END LOOP;
END $$`;
