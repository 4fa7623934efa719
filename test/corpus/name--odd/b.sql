create schema "my schema";
create table "my schema"."T ""q""" ("Sel.ect" int primary key, "ünï" text default 'x', "user" int);
create index "I;
drop" on "my schema"."T ""q""" ("ünï");
