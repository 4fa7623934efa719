-- A search schema: documents with text search vectors, trigrams, synonyms and materialized views that rank.

CREATE SCHEMA search;
CREATE SCHEMA ext;
CREATE EXTENSION pg_trgm WITH SCHEMA ext;
CREATE EXTENSION unaccent WITH SCHEMA ext;
CREATE EXTENSION btree_gin WITH SCHEMA ext;

CREATE TEXT SEARCH DICTIONARY search.english_stop (TEMPLATE = pg_catalog.simple, STOPWORDS = english, ACCEPT = false);
CREATE TEXT SEARCH CONFIGURATION search.en (COPY = pg_catalog.english);
ALTER TEXT SEARCH CONFIGURATION search.en ALTER MAPPING FOR hword, hword_part, word WITH ext.unaccent, english_stem;
COMMENT ON TEXT SEARCH CONFIGURATION search.en IS 'English without accents';

CREATE FUNCTION search.plain(value text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
    RETURN lower(ext.unaccent('ext.unaccent'::regdictionary, value));

CREATE FUNCTION search.config_of(lang text) RETURNS regconfig
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT CASE lang WHEN 'de' THEN 'pg_catalog.german'::regconfig WHEN 'fr' THEN 'pg_catalog.french'::regconfig
                           ELSE 'pg_catalog.english'::regconfig END $$;

CREATE TABLE search.sources (
    source_id   smallint PRIMARY KEY,
    name        text NOT NULL UNIQUE,
    weight      real NOT NULL DEFAULT 1.0 CHECK (weight > 0),
    base_url    text
);

CREATE TABLE search.documents (
    doc_id      bigint GENERATED ALWAYS AS IDENTITY,
    source_id   smallint NOT NULL REFERENCES search.sources,
    lang        char(2) NOT NULL DEFAULT 'en',
    title       text NOT NULL,
    body        text NOT NULL DEFAULT '',
    keywords    text[] NOT NULL DEFAULT '{}',
    attributes  jsonb NOT NULL DEFAULT '{}',
    url         text COLLATE "C" NOT NULL,
    published   date,
    popularity  integer NOT NULL DEFAULT 0,
    tsv         tsvector GENERATED ALWAYS AS (
        setweight(to_tsvector('pg_catalog.english', coalesce(title, '')), 'A') ||
        setweight(array_to_tsvector(keywords), 'B') ||
        setweight(to_tsvector('pg_catalog.english', coalesce(body, '')), 'D')
    ) STORED,
    CONSTRAINT documents_pk PRIMARY KEY (doc_id),
    CONSTRAINT documents_url UNIQUE (url)
);
CREATE INDEX documents_tsv ON search.documents USING gin (tsv) WITH (fastupdate = off);
CREATE INDEX documents_title_trgm ON search.documents USING gist (search.plain(title) ext.gist_trgm_ops);
CREATE INDEX documents_url_trgm ON search.documents USING gist (url ext.gist_trgm_ops(siglen=64));
CREATE INDEX documents_body_trgm ON search.documents USING gin (body ext.gin_trgm_ops);
CREATE INDEX documents_keywords ON search.documents USING gin (keywords, source_id);
CREATE INDEX documents_attributes ON search.documents USING gin (attributes jsonb_path_ops) WHERE attributes <> '{}'::jsonb;
CREATE INDEX documents_published ON search.documents USING brin (published date_minmax_multi_ops) WITH (autosummarize = on);
CREATE INDEX documents_popular ON search.documents (popularity DESC NULLS LAST, doc_id) INCLUDE (title) WHERE popularity > 10;
CREATE INDEX documents_url_prefix ON search.documents (url text_pattern_ops);
CREATE INDEX documents_lang_plain ON search.documents ((search.plain(title)) COLLATE "C", lang);

CREATE TABLE search.synonyms (
    term        text NOT NULL,
    synonym     text NOT NULL,
    query       tsquery GENERATED ALWAYS AS (phraseto_tsquery('pg_catalog.simple', term)) STORED,
    PRIMARY KEY (term, synonym),
    CHECK (term <> synonym)
);
CREATE INDEX synonyms_query ON search.synonyms USING gist (query tsquery_ops);

CREATE TABLE search.queries (
    query_id    bigserial PRIMARY KEY,
    asked       text NOT NULL,
    parsed      tsquery,
    lang        char(2) NOT NULL DEFAULT 'en',
    hits        integer,
    took        interval(3),
    at          timestamptz(3) NOT NULL DEFAULT now()
);
CREATE INDEX queries_at ON search.queries USING brin (at);

CREATE TABLE search.clicks (
    query_id    bigint NOT NULL REFERENCES search.queries ON DELETE CASCADE,
    doc_id      bigint NOT NULL REFERENCES search.documents ON DELETE CASCADE,
    position    smallint NOT NULL CHECK (position BETWEEN 1 AND 1000),
    PRIMARY KEY (query_id, doc_id)
);
CREATE INDEX ON search.clicks (doc_id);

CREATE TABLE search.suggestions (
    phrase      text PRIMARY KEY,
    uses        bigint NOT NULL DEFAULT 1
);

CREATE STATISTICS search.documents_lang_source (dependencies, ndistinct) ON lang, source_id FROM search.documents;
CREATE STATISTICS search.documents_month ON (date_trunc('month', published::timestamp)) FROM search.documents;

CREATE FUNCTION search.find(asked text, lang text DEFAULT 'en', max integer DEFAULT 20)
    RETURNS TABLE (doc_id bigint, title text, rank real, excerpt text)
    LANGUAGE sql STABLE ROWS 20
    SET search_path = search, ext, pg_catalog
AS $$
    WITH q AS (SELECT websearch_to_tsquery(search.config_of(lang), asked) AS query)
    SELECT d.doc_id, d.title, ts_rank_cd('{0.1, 0.2, 0.6, 1.0}', d.tsv, q.query, 32) * s.weight,
           ts_headline(search.config_of(lang), d.body, q.query, 'MaxWords=20, MinWords=5')
      FROM q, search.documents d JOIN search.sources s USING (source_id)
     WHERE d.tsv @@ q.query OR plain(d.title) % plain(asked)
     ORDER BY 3 DESC
     LIMIT max
$$;

CREATE FUNCTION search.count_suggestion() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO search.suggestions AS s (phrase) SELECT DISTINCT search.plain(asked) FROM added
        ON CONFLICT (phrase) DO UPDATE SET uses = s.uses + 1;
    RETURN NULL;
END $$;
CREATE TRIGGER count_suggestion AFTER INSERT ON search.queries
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION search.count_suggestion();

CREATE MATERIALIZED VIEW search.click_rates AS
    SELECT c.doc_id, count(*) AS clicks, avg(c.position)::numeric(6, 2) AS mean_position,
           count(DISTINCT q.asked) AS phrases
      FROM search.clicks c JOIN search.queries q USING (query_id)
     GROUP BY c.doc_id;
CREATE UNIQUE INDEX click_rates_doc ON search.click_rates (doc_id);

CREATE MATERIALIZED VIEW search.ranking AS
    SELECT d.doc_id, d.title, d.source_id, d.tsv,
           ln(1 + coalesce(r.clicks, 0)) + d.popularity * s.weight AS score,
           rank() OVER w AS place
      FROM search.documents d
      JOIN search.sources s ON s.source_id = d.source_id
      LEFT JOIN search.click_rates r ON r.doc_id = d.doc_id
    WINDOW w AS (PARTITION BY d.source_id ORDER BY d.popularity DESC);
CREATE UNIQUE INDEX ranking_doc ON search.ranking (doc_id);
CREATE INDEX ranking_tsv ON search.ranking USING gin (tsv);
CREATE INDEX ranking_score ON search.ranking (score DESC);

CREATE MATERIALIZED VIEW search.facets AS
    SELECT source_id, key, value #>> '{}' AS value, count(*) AS documents
      FROM search.documents, jsonb_each(attributes)
     GROUP BY GROUPING SETS ((source_id, key, value), (key, value));
CREATE INDEX facets_key ON search.facets (key, documents DESC);

CREATE VIEW search.words AS
    SELECT word, ndoc, nentry FROM ts_stat('SELECT tsv FROM search.documents') WHERE ndoc > 1;

CREATE VIEW search.top AS
    SELECT r.*, s.name AS source FROM search.ranking r JOIN search.sources s USING (source_id) WHERE r.place <= 10;

CREATE PROCEDURE search.refresh() LANGUAGE plpgsql AS $$
BEGIN
    REFRESH MATERIALIZED VIEW CONCURRENTLY search.click_rates;
    REFRESH MATERIALIZED VIEW CONCURRENTLY search.ranking;
    REFRESH MATERIALIZED VIEW search.facets;
END $$;

GRANT USAGE ON SCHEMA search, ext TO search_reader;
GRANT SELECT ON search.top, search.facets, search.documents, search.sources TO search_reader;
GRANT EXECUTE ON FUNCTION search.find(text, text, integer) TO search_reader;
COMMENT ON MATERIALIZED VIEW search.ranking IS 'Refreshed every ten minutes';
COMMENT ON INDEX search.documents_title_trgm IS 'For misspelt titles';
COMMENT ON COLUMN search.documents.tsv IS 'A: title, B: keywords, D: body';
