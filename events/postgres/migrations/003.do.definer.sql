-- Whoever uses the log does so by its functions, which run as the tables' owner: a role that may use the schema and run them
-- needs no privilege to write. `pg_temp` stands last, as it would else be looked into first, where that role can put tables.
ALTER FUNCTION publish(text[], text[], text[], text[], text[], timestamptz[], text[], text[]) SECURITY DEFINER SET search_path = event_log, pg_temp;
ALTER FUNCTION "fetch"(text, text, text[], integer, integer, text[], integer[]) SECURITY DEFINER SET search_path = event_log, pg_temp;
ALTER FUNCTION "commit"(text, text, text[], integer[], bigint[], bigint[]) SECURITY DEFINER SET search_path = event_log, pg_temp;
ALTER FUNCTION leave(text, text) SECURITY DEFINER SET search_path = event_log, pg_temp;
-- Those that are called by these, and so run as the owner as well.
ALTER FUNCTION rebalance(text, text, text[], integer) SET search_path = event_log, pg_temp;
ALTER FUNCTION see(text, text[]) SET search_path = event_log, pg_temp;

-- Removes events older than `retention_ms`, at most `at_most` of each bucket, and counts those of them that some group had not
-- taken. The oldest of each bucket lie at its beginning, so that no index by time is needed: where the first is young, nothing
-- more is read (now() and not clock_timestamp(), which Postgres would ask for each row). One process at a time. A group that
-- nobody has been a member of for so long misses nothing.
CREATE FUNCTION sweep(retention_ms double precision, at_most integer) RETURNS TABLE (swept integer, missed integer)
LANGUAGE sql SECURITY DEFINER SET search_path = event_log, pg_temp AS $$
  WITH RECURSIVE turn AS MATERIALIZED (SELECT pg_try_advisory_xact_lock(hashtextextended('event_log sweep', 0)) AS is_ours),
  topics AS (
    (SELECT topic FROM event WHERE (SELECT is_ours FROM turn) ORDER BY topic LIMIT 1)
    UNION ALL
    SELECT (SELECT topic FROM event WHERE topic > topics.topic ORDER BY topic LIMIT 1) FROM topics WHERE topics.topic IS NOT NULL),
  old AS (
    SELECT oldest.topic, oldest.bucket, oldest.position FROM topics CROSS JOIN generate_series(0, 15) AS bucket
    CROSS JOIN LATERAL (
      SELECT publish_time FROM event
      WHERE event.topic = topics.topic AND event.bucket = bucket.bucket ORDER BY position LIMIT 1) AS first
    CROSS JOIN LATERAL (
      SELECT topic, event.bucket, position, publish_time FROM event
      WHERE event.topic = topics.topic AND event.bucket = bucket.bucket AND first.publish_time < now() - retention_ms * interval '1 millisecond'
      ORDER BY position LIMIT at_most) AS oldest
    WHERE oldest.publish_time < now() - retention_ms * interval '1 millisecond'),
  gone AS (DELETE FROM event USING old
    WHERE event.topic = old.topic AND event.bucket = old.bucket AND event.position = old.position
    RETURNING event.topic, event.bucket, event.position)
  SELECT count(*)::int, count(*) FILTER (WHERE EXISTS (
    SELECT FROM group_bucket AS held WHERE held.topic = gone.topic AND held.bucket = gone.bucket AND held.position < gone.position
      AND held.seen_time > now() - retention_ms * interval '1 millisecond'))::int
  FROM gone
$$;
