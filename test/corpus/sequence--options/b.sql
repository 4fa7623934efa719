create schema app;
create sequence app.s increment 5 maxvalue 1000 cycle;
