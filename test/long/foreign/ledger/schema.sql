--
-- PostgreSQL database dump
--

-- Dumped from database version 15.4
-- Dumped by pg_dump version 16.2

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: ledger; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA ledger;


--
-- Name: reporting; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA reporting;


--
-- Name: account_kind; Type: TYPE; Schema: ledger; Owner: -
--

CREATE TYPE ledger.account_kind AS ENUM (
    'asset',
    'liability',
    'equity',
    'income',
    'expense'
);


--
-- Name: currency_code; Type: DOMAIN; Schema: ledger; Owner: -
--

CREATE DOMAIN ledger.currency_code AS character(3)
	CONSTRAINT currency_code_check CHECK ((VALUE ~ '^[A-Z]{3}$'::text));


--
-- Name: money_amount; Type: DOMAIN; Schema: ledger; Owner: -
--

CREATE DOMAIN ledger.money_amount AS numeric(20,4) NOT NULL;


--
-- Name: account_balance(uuid, timestamp with time zone); Type: FUNCTION; Schema: ledger; Owner: -
--

CREATE FUNCTION ledger.account_balance(p_account uuid, p_at timestamp with time zone DEFAULT now()) RETURNS numeric
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
    SELECT coalesce(sum(e.amount * e.direction), 0)
      FROM ledger.entries e
     WHERE e.account_id = p_account
       AND e.booked_at <= p_at
$$;


--
-- Name: assert_balanced(); Type: FUNCTION; Schema: ledger; Owner: -
--

CREATE FUNCTION ledger.assert_balanced() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    difference numeric;
BEGIN
    SELECT sum(amount * direction) INTO difference
      FROM ledger.entries
     WHERE transaction_id = NEW.transaction_id AND booked_at = NEW.booked_at;
    IF difference <> 0 THEN
        RAISE EXCEPTION 'transaction % is off by %', NEW.transaction_id, difference;
    END IF;
    RETURN NULL;
END
$$;


--
-- Name: forbid_change(); Type: FUNCTION; Schema: ledger; Owner: -
--

CREATE FUNCTION ledger.forbid_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'entries are append-only' USING HINT = 'Book a reversal.';
END
$$;


--
-- Name: rate_state(numeric, numeric); Type: FUNCTION; Schema: ledger; Owner: -
--

CREATE FUNCTION ledger.rate_state(state numeric, rate numeric) RETURNS numeric
    LANGUAGE sql IMMUTABLE
    AS $$ SELECT coalesce(state, 1) * coalesce(rate, 1) $$;


--
-- Name: compound(numeric); Type: AGGREGATE; Schema: ledger; Owner: -
--

CREATE AGGREGATE ledger.compound(numeric) (
    SFUNC = ledger.rate_state,
    STYPE = numeric,
    INITCOND = '1'
);


SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: accounts; Type: TABLE; Schema: ledger; Owner: -
--

CREATE TABLE ledger.accounts (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    number character varying(20) NOT NULL,
    name text NOT NULL,
    kind ledger.account_kind NOT NULL,
    currency ledger.currency_code DEFAULT 'EUR'::bpchar NOT NULL,
    parent_id uuid,
    overdraft ledger.money_amount DEFAULT 0,
    opened_on date DEFAULT CURRENT_DATE NOT NULL,
    closed_on date,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    CONSTRAINT accounts_closed_after_open CHECK (((closed_on IS NULL) OR (closed_on >= opened_on))),
    CONSTRAINT accounts_number_check CHECK (((number)::text ~ '^[0-9]+(\.[0-9]+)*$'::text))
);


--
-- Name: TABLE accounts; Type: COMMENT; Schema: ledger; Owner: -
--

COMMENT ON TABLE ledger.accounts IS 'Chart of accounts';


--
-- Name: COLUMN accounts.number; Type: COMMENT; Schema: ledger; Owner: -
--

COMMENT ON COLUMN ledger.accounts.number IS 'With the parents'' numbers, as in 1.20.300';


--
-- Name: audit_log; Type: TABLE; Schema: ledger; Owner: -
--

CREATE TABLE ledger.audit_log (
    id bigint NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    actor name DEFAULT CURRENT_USER NOT NULL,
    action text NOT NULL,
    row_data jsonb
);


--
-- Name: audit_log_id_seq; Type: SEQUENCE; Schema: ledger; Owner: -
--

CREATE SEQUENCE ledger.audit_log_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: audit_log_id_seq; Type: SEQUENCE OWNED BY; Schema: ledger; Owner: -
--

ALTER SEQUENCE ledger.audit_log_id_seq OWNED BY ledger.audit_log.id;


--
-- Name: entries; Type: TABLE; Schema: ledger; Owner: -
--

CREATE TABLE ledger.entries (
    id bigint NOT NULL,
    transaction_id bigint NOT NULL,
    account_id uuid NOT NULL,
    booked_at timestamp with time zone NOT NULL,
    amount ledger.money_amount,
    direction smallint NOT NULL,
    memo text,
    CONSTRAINT entries_amount_check CHECK (((amount)::numeric > (0)::numeric)),
    CONSTRAINT entries_direction_check CHECK ((direction = ANY (ARRAY['-1'::integer, 1])))
)
PARTITION BY RANGE (booked_at);


--
-- Name: entries_id_seq; Type: SEQUENCE; Schema: ledger; Owner: -
--

ALTER TABLE ledger.entries ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ledger.entries_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 50
);


--
-- Name: entries_2024; Type: TABLE; Schema: ledger; Owner: -
--

CREATE TABLE ledger.entries_2024 (
    id bigint NOT NULL,
    transaction_id bigint NOT NULL,
    account_id uuid NOT NULL,
    booked_at timestamp with time zone NOT NULL,
    amount ledger.money_amount,
    direction smallint NOT NULL,
    memo text,
    CONSTRAINT entries_amount_check CHECK (((amount)::numeric > (0)::numeric)),
    CONSTRAINT entries_direction_check CHECK ((direction = ANY (ARRAY['-1'::integer, 1])))
);


--
-- Name: entries_2025; Type: TABLE; Schema: ledger; Owner: -
--

CREATE TABLE ledger.entries_2025 (
    id bigint NOT NULL,
    transaction_id bigint NOT NULL,
    account_id uuid NOT NULL,
    booked_at timestamp with time zone NOT NULL,
    amount ledger.money_amount,
    direction smallint NOT NULL,
    memo text,
    CONSTRAINT entries_amount_check CHECK (((amount)::numeric > (0)::numeric)),
    CONSTRAINT entries_direction_check CHECK ((direction = ANY (ARRAY['-1'::integer, 1])))
)
PARTITION BY LIST (direction);


--
-- Name: entries_2025_credit; Type: TABLE; Schema: ledger; Owner: -
--

CREATE TABLE ledger.entries_2025_credit (
    id bigint NOT NULL,
    transaction_id bigint NOT NULL,
    account_id uuid NOT NULL,
    booked_at timestamp with time zone NOT NULL,
    amount ledger.money_amount,
    direction smallint NOT NULL,
    memo text,
    CONSTRAINT entries_amount_check CHECK (((amount)::numeric > (0)::numeric)),
    CONSTRAINT entries_direction_check CHECK ((direction = ANY (ARRAY['-1'::integer, 1])))
);


--
-- Name: entries_2025_debit; Type: TABLE; Schema: ledger; Owner: -
--

CREATE TABLE ledger.entries_2025_debit (
    id bigint NOT NULL,
    transaction_id bigint NOT NULL,
    account_id uuid NOT NULL,
    booked_at timestamp with time zone NOT NULL,
    amount ledger.money_amount,
    direction smallint NOT NULL,
    memo text,
    CONSTRAINT entries_amount_check CHECK (((amount)::numeric > (0)::numeric)),
    CONSTRAINT entries_direction_check CHECK ((direction = ANY (ARRAY['-1'::integer, 1])))
);


--
-- Name: rates; Type: TABLE; Schema: ledger; Owner: -
--

CREATE TABLE ledger.rates (
    base ledger.currency_code NOT NULL,
    quote ledger.currency_code NOT NULL,
    valid_on date NOT NULL,
    rate numeric(18,9) NOT NULL,
    CONSTRAINT rates_check CHECK (((base)::bpchar <> (quote)::bpchar))
);


--
-- Name: transactions; Type: TABLE; Schema: ledger; Owner: -
--

CREATE TABLE ledger.transactions (
    id bigint NOT NULL,
    reference text,
    idempotency_key uuid,
    kind text DEFAULT 'journal'::text NOT NULL,
    reverses_id bigint,
    booked_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT transactions_kind_check CHECK ((kind = ANY (ARRAY['journal'::text, 'reversal'::text, 'closing'::text]))),
    CONSTRAINT transactions_reversal CHECK (((kind = 'reversal'::text) = (reverses_id IS NOT NULL)))
);


--
-- Name: transactions_id_seq; Type: SEQUENCE; Schema: ledger; Owner: -
--

ALTER TABLE ledger.transactions ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME ledger.transactions_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: trial_balance; Type: VIEW; Schema: reporting; Owner: -
--

CREATE VIEW reporting.trial_balance AS
SELECT
    NULL::uuid AS id,
    NULL::character varying(20) AS number,
    NULL::text AS name,
    NULL::ledger.account_kind AS kind,
    NULL::ledger.currency_code AS currency,
    NULL::numeric AS balance;


--
-- Name: by_kind; Type: VIEW; Schema: reporting; Owner: -
--

CREATE VIEW reporting.by_kind AS
 SELECT trial_balance.kind,
    trial_balance.currency,
    sum(trial_balance.balance) AS balance
   FROM reporting.trial_balance
  GROUP BY GROUPING SETS ((trial_balance.kind, trial_balance.currency), (trial_balance.kind));


--
-- Name: monthly; Type: MATERIALIZED VIEW; Schema: reporting; Owner: -
--

CREATE MATERIALIZED VIEW reporting.monthly AS
 SELECT e.account_id,
    date_trunc('month'::text, e.booked_at, 'UTC'::text) AS month,
    sum((e.amount)::numeric) FILTER (WHERE (e.direction = 1)) AS debits,
    sum((e.amount)::numeric) FILTER (WHERE (e.direction = '-1'::integer)) AS credits
   FROM ledger.entries e
  GROUP BY e.account_id, (date_trunc('month'::text, e.booked_at, 'UTC'::text))
  WITH NO DATA;


--
-- Name: entries_2024; Type: TABLE ATTACH; Schema: ledger; Owner: -
--

ALTER TABLE ONLY ledger.entries ATTACH PARTITION ledger.entries_2024 FOR VALUES FROM ('2024-01-01 00:00:00+00') TO ('2025-01-01 00:00:00+00');


--
-- Name: entries_2025; Type: TABLE ATTACH; Schema: ledger; Owner: -
--

ALTER TABLE ONLY ledger.entries ATTACH PARTITION ledger.entries_2025 FOR VALUES FROM ('2025-01-01 00:00:00+00') TO ('2026-01-01 00:00:00+00');


--
-- Name: entries_2025_credit; Type: TABLE ATTACH; Schema: ledger; Owner: -
--

ALTER TABLE ONLY ledger.entries_2025 ATTACH PARTITION ledger.entries_2025_credit FOR VALUES IN ('-1');


--
-- Name: entries_2025_debit; Type: TABLE ATTACH; Schema: ledger; Owner: -
--

ALTER TABLE ONLY ledger.entries_2025 ATTACH PARTITION ledger.entries_2025_debit FOR VALUES IN ('1');


--
-- Name: audit_log id; Type: DEFAULT; Schema: ledger; Owner: -
--

ALTER TABLE ONLY ledger.audit_log ALTER COLUMN id SET DEFAULT nextval('ledger.audit_log_id_seq'::regclass);


--
-- Name: accounts accounts_number_key; Type: CONSTRAINT; Schema: ledger; Owner: -
--

ALTER TABLE ONLY ledger.accounts
    ADD CONSTRAINT accounts_number_key UNIQUE (number);


--
-- Name: accounts accounts_pkey; Type: CONSTRAINT; Schema: ledger; Owner: -
--

ALTER TABLE ONLY ledger.accounts
    ADD CONSTRAINT accounts_pkey PRIMARY KEY (id);


--
-- Name: audit_log audit_log_pkey; Type: CONSTRAINT; Schema: ledger; Owner: -
--

ALTER TABLE ONLY ledger.audit_log
    ADD CONSTRAINT audit_log_pkey PRIMARY KEY (id);


--
-- Name: entries entries_pkey; Type: CONSTRAINT; Schema: ledger; Owner: -
--

ALTER TABLE ONLY ledger.entries
    ADD CONSTRAINT entries_pkey PRIMARY KEY (id, booked_at, direction);


--
-- Name: entries_2024 entries_2024_pkey; Type: CONSTRAINT; Schema: ledger; Owner: -
--

ALTER TABLE ONLY ledger.entries_2024
    ADD CONSTRAINT entries_2024_pkey PRIMARY KEY (id, booked_at, direction);


--
-- Name: entries_2025 entries_2025_pkey; Type: CONSTRAINT; Schema: ledger; Owner: -
--

ALTER TABLE ONLY ledger.entries_2025
    ADD CONSTRAINT entries_2025_pkey PRIMARY KEY (id, booked_at, direction);


--
-- Name: entries_2025_credit entries_2025_credit_pkey; Type: CONSTRAINT; Schema: ledger; Owner: -
--

ALTER TABLE ONLY ledger.entries_2025_credit
    ADD CONSTRAINT entries_2025_credit_pkey PRIMARY KEY (id, booked_at, direction);


--
-- Name: entries_2025_debit entries_2025_debit_pkey; Type: CONSTRAINT; Schema: ledger; Owner: -
--

ALTER TABLE ONLY ledger.entries_2025_debit
    ADD CONSTRAINT entries_2025_debit_pkey PRIMARY KEY (id, booked_at, direction);


--
-- Name: rates rates_pkey; Type: CONSTRAINT; Schema: ledger; Owner: -
--

ALTER TABLE ONLY ledger.rates
    ADD CONSTRAINT rates_pkey PRIMARY KEY (base, quote, valid_on);


--
-- Name: transactions transactions_pkey; Type: CONSTRAINT; Schema: ledger; Owner: -
--

ALTER TABLE ONLY ledger.transactions
    ADD CONSTRAINT transactions_pkey PRIMARY KEY (id);


--
-- Name: transactions transactions_idempotency_key_key; Type: CONSTRAINT; Schema: ledger; Owner: -
--

ALTER TABLE ONLY ledger.transactions
    ADD CONSTRAINT transactions_idempotency_key_key UNIQUE NULLS NOT DISTINCT (idempotency_key, id);


--
-- Name: entries_account_booked; Type: INDEX; Schema: ledger; Owner: -
--

CREATE INDEX entries_account_booked ON ONLY ledger.entries USING btree (account_id, booked_at DESC);


--
-- Name: entries_2024_account_id_booked_at_idx; Type: INDEX; Schema: ledger; Owner: -
--

CREATE INDEX entries_2024_account_id_booked_at_idx ON ledger.entries_2024 USING btree (account_id, booked_at DESC);


--
-- Name: entries_2025_account_id_booked_at_idx; Type: INDEX; Schema: ledger; Owner: -
--

CREATE INDEX entries_2025_account_id_booked_at_idx ON ONLY ledger.entries_2025 USING btree (account_id, booked_at DESC);


--
-- Name: entries_2025_credit_account_id_booked_at_idx; Type: INDEX; Schema: ledger; Owner: -
--

CREATE INDEX entries_2025_credit_account_id_booked_at_idx ON ledger.entries_2025_credit USING btree (account_id, booked_at DESC);


--
-- Name: entries_2025_debit_account_id_booked_at_idx; Type: INDEX; Schema: ledger; Owner: -
--

CREATE INDEX entries_2025_debit_account_id_booked_at_idx ON ledger.entries_2025_debit USING btree (account_id, booked_at DESC);


--
-- Name: transactions_reverses; Type: INDEX; Schema: ledger; Owner: -
--

CREATE UNIQUE INDEX transactions_reverses ON ledger.transactions USING btree (reverses_id) WHERE (reverses_id IS NOT NULL);


--
-- Name: monthly_key; Type: INDEX; Schema: reporting; Owner: -
--

CREATE UNIQUE INDEX monthly_key ON reporting.monthly USING btree (account_id, month);


--
-- Name: entries_2024_account_id_booked_at_idx; Type: INDEX ATTACH; Schema: ledger; Owner: -
--

ALTER INDEX ledger.entries_account_booked ATTACH PARTITION ledger.entries_2024_account_id_booked_at_idx;


--
-- Name: entries_2024_pkey; Type: INDEX ATTACH; Schema: ledger; Owner: -
--

ALTER INDEX ledger.entries_pkey ATTACH PARTITION ledger.entries_2024_pkey;


--
-- Name: entries_2025_account_id_booked_at_idx; Type: INDEX ATTACH; Schema: ledger; Owner: -
--

ALTER INDEX ledger.entries_account_booked ATTACH PARTITION ledger.entries_2025_account_id_booked_at_idx;


--
-- Name: entries_2025_credit_account_id_booked_at_idx; Type: INDEX ATTACH; Schema: ledger; Owner: -
--

ALTER INDEX ledger.entries_2025_account_id_booked_at_idx ATTACH PARTITION ledger.entries_2025_credit_account_id_booked_at_idx;


--
-- Name: entries_2025_credit_pkey; Type: INDEX ATTACH; Schema: ledger; Owner: -
--

ALTER INDEX ledger.entries_2025_pkey ATTACH PARTITION ledger.entries_2025_credit_pkey;


--
-- Name: entries_2025_debit_account_id_booked_at_idx; Type: INDEX ATTACH; Schema: ledger; Owner: -
--

ALTER INDEX ledger.entries_2025_account_id_booked_at_idx ATTACH PARTITION ledger.entries_2025_debit_account_id_booked_at_idx;


--
-- Name: entries_2025_debit_pkey; Type: INDEX ATTACH; Schema: ledger; Owner: -
--

ALTER INDEX ledger.entries_2025_pkey ATTACH PARTITION ledger.entries_2025_debit_pkey;


--
-- Name: entries_2025_pkey; Type: INDEX ATTACH; Schema: ledger; Owner: -
--

ALTER INDEX ledger.entries_pkey ATTACH PARTITION ledger.entries_2025_pkey;


--
-- Name: trial_balance _RETURN; Type: RULE; Schema: reporting; Owner: -
--

CREATE OR REPLACE VIEW reporting.trial_balance AS
 SELECT a.id,
    a.number,
    a.name,
    a.kind,
    a.currency,
    sum(((e.amount)::numeric * (e.direction)::numeric)) AS balance
   FROM (ledger.accounts a
     LEFT JOIN ledger.entries e ON ((e.account_id = a.id)))
  GROUP BY a.id;


--
-- Name: entries entries_append_only; Type: TRIGGER; Schema: ledger; Owner: -
--

CREATE TRIGGER entries_append_only BEFORE DELETE OR UPDATE ON ledger.entries FOR EACH ROW EXECUTE FUNCTION ledger.forbid_change();


--
-- Name: entries entries_balanced; Type: TRIGGER; Schema: ledger; Owner: -
--

CREATE CONSTRAINT TRIGGER entries_balanced AFTER INSERT ON ledger.entries DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger.assert_balanced();


--
-- Name: accounts accounts_parent_id_fkey; Type: FK CONSTRAINT; Schema: ledger; Owner: -
--

ALTER TABLE ONLY ledger.accounts
    ADD CONSTRAINT accounts_parent_id_fkey FOREIGN KEY (parent_id) REFERENCES ledger.accounts(id);


--
-- Name: entries entries_account_id_fkey; Type: FK CONSTRAINT; Schema: ledger; Owner: -
--

ALTER TABLE ledger.entries
    ADD CONSTRAINT entries_account_id_fkey FOREIGN KEY (account_id) REFERENCES ledger.accounts(id);


--
-- Name: entries entries_transaction_id_fkey; Type: FK CONSTRAINT; Schema: ledger; Owner: -
--

ALTER TABLE ledger.entries
    ADD CONSTRAINT entries_transaction_id_fkey FOREIGN KEY (transaction_id) REFERENCES ledger.transactions(id);


--
-- Name: transactions transactions_reverses_id_fkey; Type: FK CONSTRAINT; Schema: ledger; Owner: -
--

ALTER TABLE ONLY ledger.transactions
    ADD CONSTRAINT transactions_reverses_id_fkey FOREIGN KEY (reverses_id) REFERENCES ledger.transactions(id);


--
-- Name: SCHEMA ledger; Type: ACL; Schema: -; Owner: -
--

GRANT USAGE ON SCHEMA ledger TO ledger_app;
GRANT USAGE ON SCHEMA ledger TO ledger_auditor;


--
-- Name: TABLE entries; Type: ACL; Schema: ledger; Owner: -
--

GRANT SELECT,INSERT ON TABLE ledger.entries TO ledger_app;
GRANT SELECT ON TABLE ledger.entries TO ledger_auditor;


--
-- Name: TABLE trial_balance; Type: ACL; Schema: reporting; Owner: -
--

GRANT SELECT ON TABLE reporting.trial_balance TO ledger_auditor;


--
-- Name: DEFAULT PRIVILEGES FOR TABLES; Type: DEFAULT ACL; Schema: reporting; Owner: -
--

ALTER DEFAULT PRIVILEGES IN SCHEMA reporting GRANT SELECT ON TABLES TO ledger_auditor;


--
-- PostgreSQL database dump complete
--

