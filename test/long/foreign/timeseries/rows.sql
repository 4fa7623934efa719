insert into metrics.sites (name) select 'Site ' || n from generate_series(1, 4) n;
insert into metrics.devices (site_id, serial, address, labels, installed)
  select 1 + n % 4, 'S' || n, ('10.0.' || n || '.0/24')::inet, jsonb_build_object('rack', n % 5), date '2025-06-01' from generate_series(1, 30) n;
insert into metrics.series (device_id, metric, unit, expected) select d, m, 'C', '[0,100)' from generate_series(1, 30) d, unnest(array['temp', 'load']) m;
insert into metrics.samples (series_id, at, value, quality, received_at)
  select 1 + n % 60, timestamptz '2025-12-30 00:00Z' + n * interval '1 hour', n % 100, (array['good', 'bad', 'estimated'])[1 + n % 3]::metrics.quality, timestamptz '2026-02-01 00:00Z' from generate_series(1, 500) n;
insert into metrics.rollups (series_id, bucket, width, agg) select 1 + n % 60, timestamptz '2026-01-01 00:00Z' + n * interval '1 day', '1 day', row(1, 2, n, 3)::metrics.summary from generate_series(1, 60) n;
insert into metrics.events (device_id, during, kind) select 1 + n % 30, tstzrange('2026-01-01 00:00Z', '2026-01-02 00:00Z'), 'k' || n % 5 from generate_series(1, 90) n;
insert into metrics.alerts (series_id, condition, threshold) select n, 'above', 90 from generate_series(1, 40) n;
insert into metrics.maintenance select n, '[2026-01-01,2026-01-02)' from generate_series(1, 20) n;
refresh materialized view metrics.daily;
