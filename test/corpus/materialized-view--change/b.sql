create schema app;
create table app.t (id int primary key, a text);
create materialized view app.m as select id, a from app.t;
create unique index m_id on app.m (id);
