--
-- PostgreSQL database dump
--

\restrict 0k2LzT9cX


SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: shop; Type: SCHEMA; Schema: -; Owner: postgres
--

CREATE SCHEMA shop;


ALTER SCHEMA shop OWNER TO postgres;

--
-- Name: citext; Type: EXTENSION; Schema: -; Owner: -
--

CREATE EXTENSION IF NOT EXISTS citext WITH SCHEMA public;


--
-- Name: EXTENSION citext; Type: COMMENT; Schema: -; Owner: 
--

COMMENT ON EXTENSION citext IS 'data type for case-insensitive character strings';


--
-- Name: pg_trgm; Type: EXTENSION; Schema: -; Owner: -
--

CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA shop;


--
-- Name: EXTENSION pg_trgm; Type: COMMENT; Schema: -; Owner: 
--

COMMENT ON EXTENSION pg_trgm IS 'text similarity measurement and index searching based on trigrams';


--
-- Name: mail; Type: DOMAIN; Schema: shop; Owner: postgres
--

CREATE DOMAIN shop.mail AS public.citext
	CONSTRAINT looks CHECK ((VALUE OPERATOR(public.~) '@'::public.citext));


ALTER DOMAIN shop.mail OWNER TO postgres;

--
-- Name: pair; Type: TYPE; Schema: shop; Owner: postgres
--

CREATE TYPE shop.pair AS (
	a integer,
	b text
);


ALTER TYPE shop.pair OWNER TO postgres;

--
-- Name: state; Type: TYPE; Schema: shop; Owner: postgres
--

CREATE TYPE shop.state AS ENUM (
    'on',
    'off''s'
);


ALTER TYPE shop.state OWNER TO postgres;

--
-- Name: f(integer); Type: FUNCTION; Schema: shop; Owner: postgres
--

CREATE FUNCTION shop.f(x integer) RETURNS integer
    LANGUAGE sql IMMUTABLE
    AS $$ select x; $$;


ALTER FUNCTION shop.f(x integer) OWNER TO postgres;

--
-- Name: g(); Type: FUNCTION; Schema: shop; Owner: postgres
--

CREATE FUNCTION shop.g() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $_$ begin new.name := $$x;$$; return new; end $_$;


ALTER FUNCTION shop.g() OWNER TO postgres;

SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: items; Type: TABLE; Schema: shop; Owner: postgres
--

CREATE TABLE shop.items (
    id integer NOT NULL,
    name text NOT NULL,
    state shop.state DEFAULT 'on'::shop.state,
    owner integer,
    total numeric(10,2) GENERATED ALWAYS AS ((1 + 1)) STORED,
    CONSTRAINT items_name_check CHECK ((name <> ''::text))
);


ALTER TABLE shop.items OWNER TO postgres;

--
-- Name: TABLE items; Type: COMMENT; Schema: shop; Owner: postgres
--

COMMENT ON TABLE shop.items IS 'it''s; all';


--
-- Name: COLUMN items.name; Type: COMMENT; Schema: shop; Owner: postgres
--

COMMENT ON COLUMN shop.items.name IS 'n';


--
-- Name: h(); Type: FUNCTION; Schema: shop; Owner: postgres
--

CREATE FUNCTION shop.h() RETURNS shop.items
    LANGUAGE sql
    BEGIN ATOMIC
 SELECT items.id,
     items.name,
     items.state,
     items.owner,
     items.total
    FROM shop.items;
 SELECT i.id,
     i.name,
     i.state,
     i.owner,
     i.total
    FROM shop.items i;
END;


ALTER FUNCTION shop.h() OWNER TO postgres;

--
-- Name: p(); Type: PROCEDURE; Schema: shop; Owner: postgres
--

CREATE PROCEDURE shop.p()
    LANGUAGE plpgsql
    AS $$ begin end $$;


ALTER PROCEDURE shop.p() OWNER TO postgres;

--
-- Name: total(integer); Type: AGGREGATE; Schema: shop; Owner: postgres
--

CREATE AGGREGATE shop.total(integer) (
    SFUNC = int4pl,
    STYPE = integer
);


ALTER AGGREGATE shop.total(integer) OWNER TO postgres;

--
-- Name: events; Type: TABLE; Schema: shop; Owner: postgres
--

CREATE TABLE shop.events (
    at date NOT NULL,
    what text
)
PARTITION BY RANGE (at);


ALTER TABLE shop.events OWNER TO postgres;

--
-- Name: events1; Type: TABLE; Schema: shop; Owner: postgres
--

CREATE TABLE shop.events1 (
    at date NOT NULL,
    what text
);


ALTER TABLE shop.events1 OWNER TO postgres;

--
-- Name: events_d; Type: TABLE; Schema: shop; Owner: postgres
--

CREATE TABLE shop.events_d (
    at date NOT NULL,
    what text
);


ALTER TABLE shop.events_d OWNER TO postgres;

--
-- Name: items_id_seq; Type: SEQUENCE; Schema: shop; Owner: postgres
--

CREATE SEQUENCE shop.items_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER TABLE shop.items_id_seq OWNER TO postgres;

--
-- Name: items_id_seq; Type: SEQUENCE OWNED BY; Schema: shop; Owner: postgres
--

ALTER SEQUENCE shop.items_id_seq OWNED BY shop.items.id;


--
-- Name: v; Type: VIEW; Schema: shop; Owner: postgres
--

CREATE VIEW shop.v AS
 SELECT items.id,
    items.name
   FROM shop.items;


ALTER TABLE shop.v OWNER TO postgres;

--
-- Name: m; Type: MATERIALIZED VIEW; Schema: shop; Owner: postgres
--

CREATE MATERIALIZED VIEW shop.m AS
 SELECT count(*) AS n
   FROM shop.v
  WITH NO DATA;


ALTER TABLE shop.m OWNER TO postgres;

--
-- Name: owners; Type: TABLE; Schema: shop; Owner: postgres
--

CREATE TABLE shop.owners (
    id integer NOT NULL,
    mail shop.mail,
    "Odd name" text DEFAULT 'a\b;
--x'::text
);


ALTER TABLE shop.owners OWNER TO postgres;

--
-- Name: owners_id_seq; Type: SEQUENCE; Schema: shop; Owner: postgres
--

ALTER TABLE shop.owners ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME shop.owners_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: events1; Type: TABLE ATTACH; Schema: shop; Owner: postgres
--

ALTER TABLE ONLY shop.events ATTACH PARTITION shop.events1 FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');


--
-- Name: events_d; Type: TABLE ATTACH; Schema: shop; Owner: postgres
--

ALTER TABLE ONLY shop.events ATTACH PARTITION shop.events_d DEFAULT;


--
-- Name: items id; Type: DEFAULT; Schema: shop; Owner: postgres
--

ALTER TABLE ONLY shop.items ALTER COLUMN id SET DEFAULT nextval('shop.items_id_seq'::regclass);


--
-- Name: items items_pkey; Type: CONSTRAINT; Schema: shop; Owner: postgres
--

ALTER TABLE ONLY shop.items
    ADD CONSTRAINT items_pkey PRIMARY KEY (id);


--
-- Name: owners owners_mail_key; Type: CONSTRAINT; Schema: shop; Owner: postgres
--

ALTER TABLE ONLY shop.owners
    ADD CONSTRAINT owners_mail_key UNIQUE (mail);


--
-- Name: owners owners_pkey; Type: CONSTRAINT; Schema: shop; Owner: postgres
--

ALTER TABLE ONLY shop.owners
    ADD CONSTRAINT owners_pkey PRIMARY KEY (id);


--
-- Name: events_what_idx; Type: INDEX; Schema: shop; Owner: postgres
--

CREATE INDEX events_what_idx ON ONLY shop.events USING btree (what);


--
-- Name: events1_what_idx; Type: INDEX; Schema: shop; Owner: postgres
--

CREATE INDEX events1_what_idx ON shop.events1 USING btree (what);


--
-- Name: events_d_what_idx; Type: INDEX; Schema: shop; Owner: postgres
--

CREATE INDEX events_d_what_idx ON shop.events_d USING btree (what);


--
-- Name: items_name; Type: INDEX; Schema: shop; Owner: postgres
--

CREATE INDEX items_name ON shop.items USING gin (name shop.gin_trgm_ops);


--
-- Name: m_n_idx; Type: INDEX; Schema: shop; Owner: postgres
--

CREATE UNIQUE INDEX m_n_idx ON shop.m USING btree (n);


--
-- Name: events1_what_idx; Type: INDEX ATTACH; Schema: shop; Owner: postgres
--

ALTER INDEX shop.events_what_idx ATTACH PARTITION shop.events1_what_idx;


--
-- Name: events_d_what_idx; Type: INDEX ATTACH; Schema: shop; Owner: postgres
--

ALTER INDEX shop.events_what_idx ATTACH PARTITION shop.events_d_what_idx;


--
-- Name: v r; Type: RULE; Schema: shop; Owner: postgres
--

CREATE RULE r AS
    ON DELETE TO shop.v DO INSTEAD ( DELETE FROM shop.items;
 SELECT 1 AS "?column?";
);


--
-- Name: items t; Type: TRIGGER; Schema: shop; Owner: postgres
--

CREATE TRIGGER t BEFORE INSERT ON shop.items FOR EACH ROW EXECUTE FUNCTION shop.g();


--
-- Name: items items_owner_fkey; Type: FK CONSTRAINT; Schema: shop; Owner: postgres
--

ALTER TABLE ONLY shop.items
    ADD CONSTRAINT items_owner_fkey FOREIGN KEY (owner) REFERENCES shop.owners(id) ON DELETE CASCADE;


--
-- Name: items; Type: ROW SECURITY; Schema: shop; Owner: postgres
--

ALTER TABLE shop.items ENABLE ROW LEVEL SECURITY;

--
-- Name: items own; Type: POLICY; Schema: shop; Owner: postgres
--

CREATE POLICY own ON shop.items USING ((shop.f(id) = 1));


--
-- Name: SCHEMA shop; Type: ACL; Schema: -; Owner: postgres
--

GRANT USAGE ON SCHEMA shop TO PUBLIC;


--
-- Name: FUNCTION f(x integer); Type: ACL; Schema: shop; Owner: postgres
--

REVOKE ALL ON FUNCTION shop.f(x integer) FROM PUBLIC;


--
-- Name: TABLE items; Type: ACL; Schema: shop; Owner: postgres
--

GRANT SELECT ON TABLE shop.items TO PUBLIC;


--
-- Name: COLUMN owners.id; Type: ACL; Schema: shop; Owner: postgres
--

GRANT SELECT(id) ON TABLE shop.owners TO PUBLIC;


--
-- Name: DEFAULT PRIVILEGES FOR TABLES; Type: DEFAULT ACL; Schema: shop; Owner: postgres
--

ALTER DEFAULT PRIVILEGES FOR ROLE postgres IN SCHEMA shop GRANT SELECT ON TABLES  TO PUBLIC;


--
-- PostgreSQL database dump complete
--

\unrestrict 0k2LzT9cX

