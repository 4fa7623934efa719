-- An event store with projections: append-only streams by hash partitions, snapshots, subscriptions, an outbox.
-- Written by hand, with the functions first and the tables that they read after them where the language allows it.

CREATE SCHEMA es;
CREATE SCHEMA proj;

CREATE DOMAIN es.stream_name AS varchar(200) COLLATE "C" NOT NULL CHECK (VALUE ~ '^[A-Za-z]+-[0-9A-Za-z-]+$');
CREATE DOMAIN es.event_type AS text CHECK (VALUE ~ '^[A-Z][A-Za-z.]+(\.v[0-9]+)?$');
CREATE TYPE es.expected AS ENUM ('any', 'no_stream', 'stream_exists', 'exact');
CREATE TYPE es.new_event AS (id uuid, type text, data jsonb, metadata jsonb);

CREATE SEQUENCE es.global_position AS bigint;

CREATE OR REPLACE FUNCTION es.category(stream text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$ SELECT split_part(stream, '-', 1) $$;

CREATE TABLE es.streams (
    stream_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name            es.stream_name UNIQUE,
    category        text COLLATE "C" GENERATED ALWAYS AS (split_part((name)::text, '-', 1)) STORED NOT NULL,
    version         bigint NOT NULL DEFAULT -1,
    truncate_before bigint,
    deleted         boolean NOT NULL DEFAULT false,
    metadata        jsonb
);
CREATE INDEX streams_category ON es.streams (category, stream_id) WHERE NOT deleted;

CREATE TABLE es.events (
    stream_id   bigint NOT NULL,
    version     bigint NOT NULL CHECK (version >= 0),
    position    bigint NOT NULL DEFAULT nextval('es.global_position'),
    event_id    uuid NOT NULL DEFAULT gen_random_uuid(),
    type        es.event_type NOT NULL,
    data        jsonb NOT NULL,
    metadata    jsonb NOT NULL DEFAULT '{}',
    written_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    writer      xid8 NOT NULL DEFAULT pg_current_xact_id(),
    PRIMARY KEY (stream_id, version)
) PARTITION BY HASH (stream_id);
CREATE TABLE es.events_p0 PARTITION OF es.events FOR VALUES WITH (MODULUS 4, REMAINDER 0) WITH (fillfactor = 100, autovacuum_enabled = false);
CREATE TABLE es.events_p1 PARTITION OF es.events FOR VALUES WITH (MODULUS 4, REMAINDER 1);
CREATE TABLE es.events_p2 PARTITION OF es.events FOR VALUES WITH (MODULUS 4, REMAINDER 2);
CREATE TABLE es.events_p3 PARTITION OF es.events FOR VALUES WITH (MODULUS 4, REMAINDER 3);
CREATE INDEX events_position ON es.events (position);
CREATE INDEX events_type ON es.events (type, position);
CREATE INDEX events_correlation ON es.events ((metadata ->> 'correlationId')) WHERE metadata ? 'correlationId';
CREATE INDEX events_data ON es.events USING gin (data jsonb_path_ops);

CREATE TABLE es.snapshots (
    stream_id   bigint REFERENCES es.streams ON DELETE CASCADE,
    version     bigint NOT NULL,
    state       jsonb NOT NULL,
    schema_hash bytea NOT NULL DEFAULT '\x00',
    taken_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (stream_id, version),
    FOREIGN KEY (stream_id, version) REFERENCES es.events (stream_id, version)
);

CREATE TABLE es.subscriptions (
    name        text PRIMARY KEY,
    filter      jsonpath,
    position    bigint NOT NULL DEFAULT 0,
    parked      bigint[] NOT NULL DEFAULT '{}',
    lease       tstzrange,
    updated_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE es.outbox (
    id          bigint GENERATED ALWAYS AS IDENTITY,
    topic       text NOT NULL,
    key         text,
    payload     bytea NOT NULL,
    headers     jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(headers) = 'array'),
    created_at  timestamptz NOT NULL DEFAULT now(),
    sent_at     timestamptz,
    CONSTRAINT outbox_pk PRIMARY KEY (id)
);
CREATE INDEX outbox_unsent ON es.outbox (id) WHERE sent_at IS NULL;

CREATE FUNCTION es.append(p_stream text, p_events es.new_event[], p_expected es.expected DEFAULT 'any', p_version bigint DEFAULT NULL)
    RETURNS TABLE (version bigint, "position" bigint)
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = pg_catalog, es, pg_temp
AS $fn$
#variable_conflict use_column
DECLARE
    s es.streams%ROWTYPE;
BEGIN
    INSERT INTO streams (name) VALUES (p_stream) ON CONFLICT (name) DO NOTHING;
    SELECT * INTO STRICT s FROM streams WHERE name = p_stream FOR UPDATE;
    IF p_expected = 'exact' AND s.version <> p_version OR p_expected = 'no_stream' AND s.version >= 0
       OR p_expected = 'stream_exists' AND s.version < 0 THEN
        RAISE EXCEPTION 'stream % is at version %', p_stream, s.version USING ERRCODE = 'serialization_failure';
    END IF;
    RETURN QUERY
        INSERT INTO events AS e (stream_id, version, event_id, type, data, metadata)
        SELECT s.stream_id, s.version + n, coalesce(id, gen_random_uuid()), type, data, coalesce(metadata, '{}')
          FROM unnest(p_events) WITH ORDINALITY AS u (id, type, data, metadata, n)
        RETURNING e.version, e.position;
    UPDATE streams SET version = version + cardinality(p_events) WHERE stream_id = s.stream_id;
END $fn$;
REVOKE ALL ON FUNCTION es.append FROM PUBLIC;

CREATE FUNCTION es.read_category(p_category text, p_after bigint DEFAULT 0, p_limit integer DEFAULT 1000)
    RETURNS SETOF es.events LANGUAGE sql STABLE ROWS 1000
BEGIN ATOMIC
    SELECT e.* FROM es.events e JOIN es.streams s ON s.stream_id = e.stream_id
     WHERE es.category(s.name::text) = p_category AND e.position > p_after
     ORDER BY e.position LIMIT p_limit;
END;

CREATE FUNCTION es.immutable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of events is not allowed', TG_OP;
END $$;
CREATE TRIGGER immutable BEFORE UPDATE OR DELETE ON es.events FOR EACH ROW EXECUTE FUNCTION es.immutable();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON es.events FOR EACH STATEMENT EXECUTE FUNCTION es.immutable();

CREATE TABLE proj.orders (
    order_id    uuid PRIMARY KEY,
    customer    text NOT NULL,
    state       text NOT NULL DEFAULT 'new',
    total       numeric(12, 2) NOT NULL DEFAULT 0,
    lines       jsonb NOT NULL DEFAULT '[]',
    position    bigint NOT NULL
);
CREATE TABLE proj.customers (
    customer    text PRIMARY KEY,
    orders      integer NOT NULL DEFAULT 0,
    spent       numeric(14, 2) NOT NULL DEFAULT 0,
    first_order uuid REFERENCES proj.orders DEFERRABLE
);
ALTER TABLE proj.orders ADD CONSTRAINT orders_customer FOREIGN KEY (customer) REFERENCES proj.customers DEFERRABLE INITIALLY DEFERRED;

CREATE FUNCTION proj.project_order() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.type = 'OrderPlaced' THEN
        INSERT INTO proj.customers AS c (customer, orders) VALUES (NEW.data ->> 'customer', 1)
            ON CONFLICT (customer) DO UPDATE SET orders = c.orders + 1;
        INSERT INTO proj.orders (order_id, customer, total, position)
            VALUES ((NEW.data ->> 'id')::uuid, NEW.data ->> 'customer', (NEW.data ->> 'total')::numeric, NEW.position);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER project_order AFTER INSERT ON es.events FOR EACH ROW WHEN (NEW.type LIKE 'Order%') EXECUTE FUNCTION proj.project_order();

CREATE VIEW es.all_events AS
    SELECT e.position, s.name AS stream, s.category, e.version, e.type, e.data, e.metadata, e.written_at
      FROM es.events e JOIN es.streams s USING (stream_id)
     WHERE e.writer < pg_snapshot_xmin(pg_current_snapshot()) AND NOT s.deleted;

CREATE VIEW es.lag AS
    SELECT name, (SELECT max(position) FROM es.events) - position AS behind, cardinality(parked) AS parked, now() <@ lease AS is_running
      FROM es.subscriptions;

CREATE RECURSIVE VIEW es.causes (event_id, cause, depth) AS
    SELECT event_id, (metadata ->> 'causationId')::uuid, 0 FROM es.events
    UNION ALL
    SELECT c.event_id, (e.metadata ->> 'causationId')::uuid, depth + 1
      FROM causes c JOIN es.events e ON e.event_id = c.cause
     WHERE depth < 20;

CREATE PUBLICATION events_outbox FOR TABLE es.outbox (id, topic, key, payload) WHERE (sent_at IS NULL) WITH (publish = 'insert');

GRANT USAGE ON SCHEMA es, proj TO events_writer, events_reader;
GRANT EXECUTE ON FUNCTION es.append(text, es.new_event[], es.expected, bigint) TO events_writer;
GRANT SELECT ON es.all_events, es.lag, proj.orders, proj.customers TO events_reader;
GRANT UPDATE (position, lease, updated_at) ON es.subscriptions TO events_writer;
COMMENT ON TABLE es.events IS 'Append-only';
COMMENT ON COLUMN es.events.writer IS 'Readers wait for it to be visible to all';
