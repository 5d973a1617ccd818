-- Runs once, on an empty volume: one database and one role for each service. No service can enter
-- another's database, so that what it needs of it can only come through its contract.
\getenv password SHOP_DATABASE_PASSWORD

CREATE ROLE shop_user LOGIN PASSWORD :'password';
CREATE DATABASE shop_user OWNER shop_user;
REVOKE ALL ON DATABASE shop_user FROM PUBLIC;

CREATE ROLE shop_product LOGIN PASSWORD :'password';
CREATE DATABASE shop_product OWNER shop_product;
REVOKE ALL ON DATABASE shop_product FROM PUBLIC;

CREATE ROLE shop_inventory LOGIN PASSWORD :'password';
CREATE DATABASE shop_inventory OWNER shop_inventory;
REVOKE ALL ON DATABASE shop_inventory FROM PUBLIC;

CREATE ROLE shop_payment LOGIN PASSWORD :'password';
CREATE DATABASE shop_payment OWNER shop_payment;
REVOKE ALL ON DATABASE shop_payment FROM PUBLIC;

CREATE ROLE shop_shipping LOGIN PASSWORD :'password';
CREATE DATABASE shop_shipping OWNER shop_shipping;
REVOKE ALL ON DATABASE shop_shipping FROM PUBLIC;

CREATE ROLE shop_order LOGIN PASSWORD :'password';
CREATE DATABASE shop_order OWNER shop_order;
REVOKE ALL ON DATABASE shop_order FROM PUBLIC;

CREATE ROLE shop_notification LOGIN PASSWORD :'password';
CREATE DATABASE shop_notification OWNER shop_notification;
REVOKE ALL ON DATABASE shop_notification FROM PUBLIC;

-- The event log, for those that publish or consume.
CREATE ROLE shop_events LOGIN PASSWORD :'password';
CREATE DATABASE shop_events OWNER shop_events;
REVOKE ALL ON DATABASE shop_events FROM PUBLIC;
