set search_path = public;
insert into geo.countries (code, "Name", names, outline) select chr(64 + n) || chr(65 + n), 'Country ' || n, hstore('de', 'Land ' || n), '((0,0),(0,10),(10,10))'::polygon from generate_series(1, 20) n;
insert into geo.places (country, kind, path, name, lat, lon, population, tags)
  select chr(65 + n % 20) || chr(66 + n % 20), (array['city', 'state', 'poi'])[1 + n % 3]::geo.place_kind, ('r.p' || n)::ltree, 'Place ' || n, n % 90, n % 180, n * 1000, hstore('k', n::text)
    from generate_series(1, 150) n;
insert into geo.roads (line, properties) select '((0,0),(1,1))'::path, jsonb_build_object('n', n) from generate_series(1, 40) n;
insert into geo.areas (shape, centre) select '((0,0),(0,1),(1,1))'::polygon, '<(0,0),1>'::circle from generate_series(1, 40) n;
insert into geo.addresses (place_id, street, "number", postcode) select n, 'Street ' || n, n, '1000' || n % 10 from generate_series(1, 80) n;
insert into geo.postcodes select 'AB', 'P' || n, int4range(n, n + 5) from generate_series(1, 30) n;
insert into geo.tiles select 10, n, n, decode(md5(n::text), 'hex') from generate_series(1, 50) n;
