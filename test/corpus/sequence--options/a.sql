create schema app;
create sequence app.s increment 1;
