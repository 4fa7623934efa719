import type { ForeignSchema } from "../foreignSchema.ts";

export const search: ForeignSchema = {
  name: "search",
  roles: ["search_reader"],
  changes: [
    {
      title: "the vector weighs the address as well",
      edits: [
        [
          "        setweight(array_to_tsvector(keywords), 'B') ||\n",
          "        setweight(array_to_tsvector(keywords), 'B') ||\n        setweight(to_tsvector('pg_catalog.simple', url), 'C') ||\n",
        ],
      ],
      allow: ["rewrite-table:search.documents"],
      back: { allow: ["rewrite-table:search.documents"] },
    },
    {
      title: "the language becomes an enum, and so no longer a key of two letters",
      edits: [
        [
          "CREATE TABLE search.sources (",
          "CREATE TYPE search.language AS ENUM ('en', 'de', 'fr');\n\nCREATE TABLE search.sources (",
        ],
        [
          "    lang        char(2) NOT NULL DEFAULT 'en',\n    hits",
          "    lang        search.language NOT NULL DEFAULT 'en',\n    hits",
        ],
      ],
      allow: ["rewrite-table:search.queries", "change-type:search.queries.lang"],
      back: { allow: ["change-type:search.queries.lang", "rewrite-table:search.queries"] },
    },
    {
      title: "an index with an operator class covers another expression",
      edits: [["(search.plain(title) ext.gist_trgm_ops)", "(search.plain(title || ' ' || body) ext.gist_trgm_ops)"]],
    },
    {
      title: "a function that indexes use folds differently",
      edits: [
        [
          "RETURN lower(ext.unaccent('ext.unaccent'::regdictionary, value));",
          "RETURN lower(translate(ext.unaccent('ext.unaccent'::regdictionary, value), '-_', '  '));",
        ],
      ],
    },
    {
      title: "a materialized view that another one reads gets a column",
      edits: [["count(DISTINCT q.asked) AS phrases", "count(DISTINCT q.asked) AS phrases, max(q.at) AS last_click"]],
    },
    {
      title: "the ranking decays with age",
      edits: [
        [
          "+ d.popularity * s.weight AS score,",
          "+ d.popularity * s.weight * exp(-extract(day FROM now() - d.published::timestamptz)::double precision / 365) AS score,",
        ],
      ],
    },
    {
      title: "a table is renamed that materialized views read",
      edits: [
        ["CREATE TABLE search.clicks (", "CREATE TABLE search.visits ( -- renamed from: clicks"],
        ["CREATE INDEX ON search.clicks (doc_id);", "CREATE INDEX ON search.visits (doc_id);"],
        ["FROM search.clicks c JOIN", "FROM search.visits c JOIN"],
      ],
      renamed: { "search.clicks": "search.visits" },
      back: { edits: [["CREATE TABLE search.clicks (", "CREATE TABLE search.clicks ( -- renamed from: visits"]] },
    },
    {
      title: "an address is compared in another collation",
      edits: [['    url         text COLLATE "C" NOT NULL,', '    url         text COLLATE "POSIX" NOT NULL,']],
      allow: ["rewrite-table:search.documents"],
      back: { allow: ["rewrite-table:search.documents"] },
    },
    {
      title: "queries are kept by the day, without a foreign key from visits",
      edits: [
        [
          "    query_id    bigint NOT NULL REFERENCES search.queries ON DELETE CASCADE,",
          "    query_id    bigint NOT NULL,",
        ],
      ],
    },
    {
      title: "a trigram index becomes one of words, and a result column is added",
      edits: [
        [
          "CREATE INDEX documents_body_trgm ON search.documents USING gin (body ext.gin_trgm_ops);",
          "CREATE INDEX documents_body_words ON search.documents USING gin (to_tsvector('pg_catalog.simple'::regconfig, body));",
        ],
        ["rank real, excerpt text)", "rank real, excerpt text, source text)"],
        ["'MaxWords=20, MinWords=5')", "'MaxWords=20, MinWords=5'), s.name"],
      ],
    },
  ],
};
