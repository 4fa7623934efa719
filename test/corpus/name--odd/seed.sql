insert into "my schema"."T ""q""" values (1);
