create table public."x NOT NULL" (id int primary key, "a TYPE b" int);
