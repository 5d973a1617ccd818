-- What services told each other, kept for some days. The events of one topic have ascending
-- positions in the order in which they became visible, so that whoever has read up to one of
-- them has missed none before it. Those of one subject are in one bucket.
CREATE TABLE event (
  topic text NOT NULL,
  bucket smallint NOT NULL,
  position bigint GENERATED ALWAYS AS IDENTITY,
  id text NOT NULL,
  source text NOT NULL,
  type text NOT NULL,
  subject text NOT NULL,
  time timestamptz NOT NULL,
  -- As it was written, byte for byte: not jsonb, which sorts the keys.
  data json NOT NULL,
  traceparent text,
  publish_time timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (topic, bucket, position)
);

-- How far each group has got, and which of its members has the bucket. `fence` rises with
-- every change of hands; what is written under an older one changes nothing.
CREATE TABLE group_bucket (
  for_group text NOT NULL,
  topic text NOT NULL,
  bucket smallint NOT NULL,
  position bigint NOT NULL DEFAULT 0,
  fence bigint NOT NULL DEFAULT 0,
  member text,
  -- Its member has more than its share, and gives it back when it is not at work on it.
  leaving boolean NOT NULL DEFAULT false,
  PRIMARY KEY (for_group, topic, bucket)
) WITH (fillfactor = 20);

-- The lease is one row a member, not one a bucket: it is renewed by one small write.
CREATE TABLE group_member (
  for_group text NOT NULL,
  member text NOT NULL,
  topics text[] NOT NULL,
  alive_until timestamptz NOT NULL,
  PRIMARY KEY (for_group, member)
) WITH (fillfactor = 20);

-- Sixteen buckets: so many members of a group share the work on a topic. Stored with each
-- event, for good; another number would put later events of a subject into another bucket.
CREATE FUNCTION bucket_of(subject text) RETURNS smallint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT (hashtextextended(subject, 0) & 15)::smallint $$;

-- Appends a batch in the order of the arrays. The lock lasts until the batch is visible, and
-- positions are given under it. One for the whole topic, not one a bucket: a topic has one
-- publisher at a time, its service's relay, and so a reader needs one position, not sixteen.
CREATE FUNCTION publish(topics text[], ids text[], sources text[], types text[], subjects text[], times timestamptz[], data text[], traceparents text[]) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(keys.key)
  FROM (SELECT DISTINCT hashtextextended('event_log topic ' || name, 0) AS key FROM unnest(topics) AS name ORDER BY key) AS keys;
  INSERT INTO event (topic, bucket, id, source, type, subject, time, data, traceparent)
  SELECT e.topic, bucket_of(e.subject), e.id, e.source, e.type, e.subject, e.time, e.data::json, e.traceparent
  FROM unnest(topics, ids, sources, types, subjects, times, data, traceparents)
    WITH ORDINALITY AS e (topic, id, source, type, subject, time, data, traceparent, ordinal)
  ORDER BY e.ordinal;
  PERFORM pg_notify('event_log', name) FROM unnest(topics) AS name GROUP BY name;
END $$;

-- Members whose lease ran out lose their buckets, and the caller gets its share of what is
-- free: of 16 buckets among 3 members 6, 6 and 4. What it has beyond its share it is to give
-- back. One member of a group at a time.
CREATE FUNCTION rebalance(of_group text, by_member text, of_topics text[], lease_ms integer) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  one_topic text;
  share integer;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('event_log group ' || of_group, 0));
  INSERT INTO group_member (for_group, member, topics, alive_until)
  VALUES (of_group, by_member, of_topics, clock_timestamp() + lease_ms * interval '1 millisecond')
  ON CONFLICT (for_group, member) DO UPDATE SET topics = excluded.topics, alive_until = excluded.alive_until;
  DELETE FROM group_member WHERE for_group = of_group AND alive_until <= clock_timestamp();
  INSERT INTO group_bucket (for_group, topic, bucket)
  SELECT of_group, name, bucket FROM unnest(of_topics) AS name, generate_series(0, 15) AS bucket ON CONFLICT DO NOTHING;
  UPDATE group_bucket AS held SET member = NULL, leaving = false
  WHERE held.for_group = of_group AND held.member IS NOT NULL
    AND NOT EXISTS (SELECT FROM group_member WHERE group_member.for_group = of_group AND group_member.member = held.member);
  FOREACH one_topic IN ARRAY of_topics LOOP
    share := (SELECT ceil(16.0 / count(*)) FROM group_member WHERE for_group = of_group AND one_topic = ANY(topics));
    UPDATE group_bucket AS held SET leaving = NOT held.leaving
    FROM (SELECT bucket, row_number() OVER (ORDER BY bucket) > share AS leaving
          FROM group_bucket WHERE for_group = of_group AND topic = one_topic AND member = by_member) AS judged
    WHERE held.for_group = of_group AND held.topic = one_topic AND held.bucket = judged.bucket AND held.leaving <> judged.leaving;
    UPDATE group_bucket AS free SET member = by_member, fence = fence + 1
    WHERE free.for_group = of_group AND free.topic = one_topic AND free.bucket IN (
      SELECT bucket FROM group_bucket WHERE for_group = of_group AND topic = one_topic AND member IS NULL ORDER BY bucket
      LIMIT greatest(0, share - (SELECT count(*) FROM group_bucket WHERE for_group = of_group AND topic = one_topic AND member = by_member)));
  END LOOP;
END $$;

-- For consumers in any language. Call it again and again, at least three times in `lease_ms`,
-- each process under a name of its own. It makes the caller a member of the group, keeps it
-- one, and returns events of the buckets that the caller has, oldest first: at most `at_most`
-- of them, of each bucket an eighth of that (but 8 in any case), and about 4 MiB. Handle those
-- of one bucket in order, then `commit` the position of the last one; until then each call
-- returns them again, but for the buckets named as busy: those the caller is still at work on.
-- A new group begins with the oldest event there is. An event may come more than once: keep
-- the ids of those that were handled, in the transaction of what was done about them.
--
--   SELECT * FROM event_log.fetch('billing', 'billing-1', ARRAY['shop.order.v1'], 100, 5000);
--   SELECT * FROM event_log.commit('billing', 'billing-1', ARRAY['shop.order.v1'], ARRAY[7], ARRAY[1], ARRAY[4711]);
CREATE FUNCTION "fetch"(of_group text, by_member text, of_topics text[], at_most integer, lease_ms integer,
  busy_topics text[] DEFAULT '{}', busy_buckets integer[] DEFAULT '{}')
RETURNS TABLE (topic text, bucket smallint, fence bigint, "position" bigint, id text, source text, type text, subject text, "time" timestamptz, data json, traceparent text)
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
#variable_conflict use_column
DECLARE
  renew_at timestamptz := clock_timestamp() + lease_ms * interval '0.667 millisecond';
BEGIN
  UPDATE group_bucket AS held SET member = NULL, leaving = false
  WHERE held.for_group = of_group AND held.member = by_member AND held.leaving
    AND NOT EXISTS (SELECT FROM unnest(busy_topics, busy_buckets) AS busy (topic, bucket) WHERE busy.topic = held.topic AND busy.bucket = held.bucket);
  IF FOUND THEN
    -- Whoever is short of its share need not wait for its next look.
    PERFORM pg_notify('event_log', name) FROM unnest(of_topics) AS name;
  END IF;
  IF NOT EXISTS (SELECT FROM group_member WHERE for_group = of_group AND member = by_member AND topics = of_topics AND alive_until > renew_at)
    OR EXISTS (SELECT FROM group_member WHERE for_group = of_group AND alive_until <= clock_timestamp())
    OR EXISTS (SELECT FROM group_bucket WHERE for_group = of_group AND group_bucket.topic = ANY(of_topics) AND member IS NULL) THEN
    PERFORM rebalance(of_group, by_member, of_topics, lease_ms);
  END IF;
  RETURN QUERY
  SELECT found.topic, found.bucket, found.fence, found.position, found.id, found.source, found.type, found.subject, found.time, found.data, found.traceparent
  FROM (
    SELECT held.topic, held.bucket, held.fence, e.*, sum(pg_column_size(e.data)) OVER (ORDER BY e.position) - pg_column_size(e.data) AS bytes_before
    FROM group_bucket AS held
    CROSS JOIN LATERAL (
      SELECT position, id, source, type, subject, time, data, traceparent
      FROM event WHERE event.topic = held.topic AND event.bucket = held.bucket AND event.position > held.position
      ORDER BY position LIMIT greatest(8, at_most / 8)) AS e
    WHERE held.for_group = of_group AND held.member = by_member AND NOT held.leaving AND held.topic = ANY(of_topics)
      AND NOT EXISTS (SELECT FROM unnest(busy_topics, busy_buckets) AS busy (topic, bucket) WHERE busy.topic = held.topic AND busy.bucket = held.bucket)
    ORDER BY e.position LIMIT at_most) AS found
  WHERE found.bytes_before < 4194304 ORDER BY found.position;
END $$;

-- Writes down how far the caller has got in these buckets, under the fences that `fetch` gave.
-- Returns those it wrote; the others are another member's by now, who handles the same events.
CREATE FUNCTION "commit"(of_group text, by_member text, of_topics text[], of_buckets integer[], fences bigint[], positions bigint[])
RETURNS TABLE (topic text, bucket smallint)
LANGUAGE sql SET search_path FROM CURRENT AS $$
  UPDATE group_bucket AS held SET position = greatest(held.position, done.position)
  FROM unnest(of_topics, of_buckets, fences, positions) AS done (topic, bucket, fence, position)
  WHERE held.for_group = of_group AND held.topic = done.topic AND held.bucket = done.bucket AND held.member = by_member AND held.fence = done.fence
  RETURNING held.topic, held.bucket
$$;

-- A member that goes gives its buckets back at once.
CREATE FUNCTION leave(of_group text, by_member text) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  DELETE FROM group_member WHERE for_group = of_group AND member = by_member;
  UPDATE group_bucket SET member = NULL, leaving = false WHERE for_group = of_group AND member = by_member;
  PERFORM pg_notify('event_log', topic) FROM group_bucket WHERE for_group = of_group GROUP BY topic;
END $$;
