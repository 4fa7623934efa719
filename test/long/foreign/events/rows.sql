insert into es.streams (name, version) select 'order-' || n, 3 from generate_series(1, 50) n;
insert into es.events (stream_id, version, type, data, metadata)
  select s, v, (array['OrderPlaced', 'OrderPaid', 'OrderShipped.v2'])[v],
         jsonb_build_object('id', md5('o' || s)::uuid, 'customer', 'c' || s % 10, 'total', s), jsonb_build_object('correlationId', md5('c' || s))
    from generate_series(1, 50) s, generate_series(1, 3) v order by s, v;
insert into es.snapshots (stream_id, version, state) select n, 3, '{}' from generate_series(1, 30) n;
insert into es.subscriptions (name, filter, position) select 'sub-' || n, '$.type ? (@ == "OrderPaid")', n from generate_series(1, 10) n;
insert into es.outbox (topic, payload) select 't' || n % 3, '\x0102' from generate_series(1, 60) n;
