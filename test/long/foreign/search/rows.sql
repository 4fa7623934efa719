INSERT INTO search.sources VALUES (1, 'wiki', 1.0, 'https://w.example'), (2, 'blog', 0.5, null), (3, 'docs', 2.0, null);
INSERT INTO search.documents (source_id, title, body, keywords, attributes, url, published, popularity)
  SELECT 1 + n % 3, 'Title ' || n, 'The body of the café number ' || n || repeat(' word' || n % 7, n % 5), ARRAY['k' || n % 9], jsonb_build_object('kind', 'k' || n % 4, 'n', n % 3),
         'https://example.org/' || n, date '2026-01-01' + n % 200, n % 40 FROM generate_series(1, 200) n;
INSERT INTO search.synonyms SELECT 'term ' || n, 'other ' || n FROM generate_series(1, 25) n;
INSERT INTO search.queries (asked, hits, took) SELECT 'Wörd ' || n % 30, n, '12 ms' FROM generate_series(1, 90) n;
INSERT INTO search.clicks SELECT n, 1 + n * 2, 1 + n % 10 FROM generate_series(1, 90) n;
REFRESH MATERIALIZED VIEW search.click_rates;
REFRESH MATERIALIZED VIEW search.ranking;
REFRESH MATERIALIZED VIEW search.facets;
