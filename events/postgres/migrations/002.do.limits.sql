ALTER TABLE event
  -- How much the data have as text: what is stored is compressed, and says little of what a
  -- reader's memory must hold. Null in rows from before this column.
  ADD COLUMN data_bytes integer;

ALTER TABLE group_bucket
  -- When a member of the group wanted the topic, give or take an hour. One that nobody has
  -- wanted for longer than events are kept is no group any more.
  ADD COLUMN seen_time timestamptz NOT NULL DEFAULT now();

-- As before, but that it refuses what some consumer could not write down: ids too long for an
-- index, and data that are no jsonb object (a NUL or half a character, as JSON escapes).
CREATE OR REPLACE FUNCTION publish(topics text[], ids text[], sources text[], types text[], subjects text[], times timestamptz[], data text[], traceparents text[]) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF EXISTS (
    SELECT FROM unnest(ids, sources, types, subjects, data) AS e (id, source, type, subject, data)
    WHERE octet_length(e.id) NOT BETWEEN 1 AND 1024 OR octet_length(e.source) NOT BETWEEN 1 AND 1024
      OR octet_length(e.type) NOT BETWEEN 1 AND 1024 OR octet_length(e.subject) NOT BETWEEN 1 AND 1024
      OR CASE WHEN pg_input_is_valid(e.data, 'jsonb') THEN json_typeof(e.data::json) <> 'object' ELSE true END) THEN
    RAISE EXCEPTION 'one of these can be no event: id, source, type and subject have 1 to 1024 bytes, data are a JSON object without NUL or half a character'
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM pg_advisory_xact_lock(keys.key)
  FROM (SELECT DISTINCT hashtextextended('event_log topic ' || name, 0) AS key FROM unnest(topics) AS name ORDER BY key) AS keys;
  INSERT INTO event (topic, bucket, id, source, type, subject, time, data, data_bytes, traceparent)
  SELECT e.topic, bucket_of(e.subject), e.id, e.source, e.type, e.subject, e.time, e.data::json, octet_length(e.data), e.traceparent
  FROM unnest(topics, ids, sources, types, subjects, times, data, traceparents)
    WITH ORDINALITY AS e (topic, id, source, type, subject, time, data, traceparent, ordinal)
  ORDER BY e.ordinal;
  PERFORM pg_notify('event_log', name) FROM unnest(topics) AS name GROUP BY name;
END $$;

-- One transaction of a group at a time changes who has which bucket.
CREATE FUNCTION lock_group(of_group text) RETURNS void
LANGUAGE sql AS $$ SELECT pg_advisory_xact_lock(hashtextextended('event_log group ' || of_group, 0)) $$;

-- Notes that members of the group want these topics. Seldom, as it is sixteen writes a topic.
CREATE FUNCTION see(of_group text, of_topics text[]) RETURNS void
LANGUAGE sql SET search_path FROM CURRENT AS $$
  UPDATE group_bucket SET seen_time = clock_timestamp()
  WHERE for_group = of_group AND topic = ANY(of_topics) AND seen_time < clock_timestamp() - interval '1 hour'
$$;

-- As before, but that it counts the bytes of data as text, that it takes the group's lock
-- before its first write (a bucket's row first and then the lock is the order in which two
-- members wait for each other), and that it notes that the group is there.
CREATE OR REPLACE FUNCTION "fetch"(of_group text, by_member text, of_topics text[], at_most integer, lease_ms integer,
  busy_topics text[] DEFAULT '{}', busy_buckets integer[] DEFAULT '{}')
RETURNS TABLE (topic text, bucket smallint, fence bigint, "position" bigint, id text, source text, type text, subject text, "time" timestamptz, data json, traceparent text)
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
#variable_conflict use_column
DECLARE
  renew_at timestamptz := clock_timestamp() + lease_ms * interval '0.667 millisecond';
BEGIN
  IF EXISTS (
    SELECT FROM group_bucket AS held WHERE held.for_group = of_group AND held.member = by_member AND held.leaving
      AND NOT EXISTS (SELECT FROM unnest(busy_topics, busy_buckets) AS busy (topic, bucket) WHERE busy.topic = held.topic AND busy.bucket = held.bucket)) THEN
    PERFORM lock_group(of_group);
    UPDATE group_bucket AS held SET member = NULL, leaving = false
    WHERE held.for_group = of_group AND held.member = by_member AND held.leaving
      AND NOT EXISTS (SELECT FROM unnest(busy_topics, busy_buckets) AS busy (topic, bucket) WHERE busy.topic = held.topic AND busy.bucket = held.bucket);
    -- Whoever is short of its share need not wait for its next look.
    PERFORM pg_notify('event_log', name) FROM unnest(of_topics) AS name;
  END IF;
  IF NOT EXISTS (SELECT FROM group_member WHERE for_group = of_group AND member = by_member AND topics = of_topics AND alive_until > renew_at)
    OR EXISTS (SELECT FROM group_member WHERE for_group = of_group AND alive_until <= clock_timestamp())
    OR EXISTS (SELECT FROM group_bucket WHERE for_group = of_group AND group_bucket.topic = ANY(of_topics) AND member IS NULL) THEN
    PERFORM rebalance(of_group, by_member, of_topics, lease_ms);
    PERFORM see(of_group, of_topics);
  END IF;
  RETURN QUERY
  SELECT found.topic, found.bucket, found.fence, found.position, found.id, found.source, found.type, found.subject, found.time, found.data, found.traceparent
  FROM (
    SELECT held.topic, held.bucket, held.fence, e.*, sum(e.bytes) OVER (ORDER BY e.position) - e.bytes AS bytes_before
    FROM group_bucket AS held
    CROSS JOIN LATERAL (
      SELECT position, id, source, type, subject, time, data, traceparent, coalesce(data_bytes, pg_column_size(data)) AS bytes
      FROM event WHERE event.topic = held.topic AND event.bucket = held.bucket AND event.position > held.position
      ORDER BY position LIMIT greatest(8, at_most / 8)) AS e
    WHERE held.for_group = of_group AND held.member = by_member AND NOT held.leaving AND held.topic = ANY(of_topics)
      AND NOT EXISTS (SELECT FROM unnest(busy_topics, busy_buckets) AS busy (topic, bucket) WHERE busy.topic = held.topic AND busy.bucket = held.bucket)
    ORDER BY e.position LIMIT at_most) AS found
  WHERE found.bytes_before < 4194304 ORDER BY found.position;
END $$;

-- As before, with the group's lock first.
CREATE OR REPLACE FUNCTION leave(of_group text, by_member text) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  PERFORM lock_group(of_group);
  DELETE FROM group_member WHERE for_group = of_group AND member = by_member;
  UPDATE group_bucket SET member = NULL, leaving = false WHERE for_group = of_group AND member = by_member;
  PERFORM pg_notify('event_log', topic) FROM group_bucket WHERE for_group = of_group GROUP BY topic;
END $$;
