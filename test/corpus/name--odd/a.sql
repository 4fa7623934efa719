create schema "my schema";
create table "my schema"."T ""q""" ("Sel.ect" int primary key, "ünï" text);
