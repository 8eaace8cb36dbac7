-- A state of schema version 1, as version 1's own code wrote it.
BEGIN TRANSACTION;
CREATE TABLE reconciler_forgotten (
	project VARCHAR(255) NOT NULL, 
	environment VARCHAR(255) NOT NULL, 
	kind VARCHAR(64) NOT NULL, 
	name VARCHAR(63) NOT NULL, 
	digest VARCHAR(80) NOT NULL, 
	forgotten_at VARCHAR(32) NOT NULL, 
	PRIMARY KEY (project, environment, kind, name)
);
INSERT INTO "reconciler_forgotten" VALUES('acme','','BookingSession','late','sha256:abc','2026-11-21T06:45:56Z');
CREATE TABLE reconciler_intents (
	number INTEGER NOT NULL, 
	project VARCHAR(255) NOT NULL, 
	environment VARCHAR(255) NOT NULL, 
	run_id VARCHAR(64) NOT NULL, 
	kind VARCHAR(64) NOT NULL, 
	name VARCHAR(63) NOT NULL, 
	connection VARCHAR(255) NOT NULL, 
	target VARCHAR(1024) NOT NULL, 
	effect VARCHAR(16) NOT NULL, 
	fields JSON NOT NULL, 
	started_at VARCHAR(32) NOT NULL, 
	pending_until VARCHAR(32) NOT NULL, 
	PRIMARY KEY (number)
);
INSERT INTO "reconciler_intents" VALUES(1,'acme','','run-1','Session','zumba','sessions','uk.bookingbug.com','create','{"name": "Zumba"}','2027-01-01T00:00:00Z','2027-01-01T00:01:00Z');
INSERT INTO "reconciler_intents" VALUES(2,'acme','','run-1','Session','yoga','sessions','uk.bookingbug.com','update','{"price": "36.00"}','2027-01-01T00:00:01Z','');
CREATE TABLE reconciler_leases (
	project VARCHAR(255) NOT NULL, 
	environment VARCHAR(255) NOT NULL, 
	run_id VARCHAR(64) NOT NULL, 
	holder VARCHAR(255) NOT NULL, 
	host VARCHAR(255) NOT NULL, 
	pid INTEGER NOT NULL, 
	since VARCHAR(32) NOT NULL, 
	beat FLOAT NOT NULL, 
	PRIMARY KEY (project, environment)
);
INSERT INTO "reconciler_leases" VALUES('acme','','run-1','ann','desk',4242,'2027-01-01T00:00:00Z',1798761600.0);
CREATE TABLE reconciler_meta (
	"key" VARCHAR(64) NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY ("key")
);
INSERT INTO "reconciler_meta" VALUES('schema_version','1');
CREATE TABLE reconciler_objects (
	project VARCHAR(255) NOT NULL, 
	environment VARCHAR(255) NOT NULL, 
	kind VARCHAR(64) NOT NULL, 
	name VARCHAR(63) NOT NULL, 
	connection VARCHAR(255) NOT NULL, 
	target VARCHAR(1024) NOT NULL, 
	remote_id VARCHAR(255) NOT NULL, 
	fields JSON NOT NULL, 
	computed JSON NOT NULL, 
	protect BOOLEAN NOT NULL, 
	depends_on JSON NOT NULL, 
	created_at VARCHAR(32) NOT NULL, 
	updated_at VARCHAR(32) NOT NULL, 
	PRIMARY KEY (project, environment, kind, name)
);
INSERT INTO "reconciler_objects" VALUES('acme','','Session','yoga','sessions','uk.bookingbug.com','123','{"name": "Y\u00f3ga \u745c\u4f3d", "price": "35.00", "slots": [{"date": "2027-03-01", "time": "11:00", "duration": 60}]}','{}',1,'[]','2026-11-21T06:45:56Z','2026-11-21T06:45:56Z');
INSERT INTO "reconciler_objects" VALUES('acme','','Resource','court','admin','acme.bookingbug.com/37004','13','{"name": "Court 1", "price": null}','{}',0,'[]','2026-11-21T06:45:56Z','2026-11-21T06:45:56Z');
INSERT INTO "reconciler_objects" VALUES('acme','','Block','closed','admin','acme.bookingbug.com/37004','13-44','{"resource_id": "13"}','{}',0,'["Resource/court"]','2026-11-21T06:45:56Z','2026-11-21T06:45:56Z');
INSERT INTO "reconciler_objects" VALUES('acme','','BookingSession','group','shop','shop.checkfront.com','s3cr3t','{"items": [{"key": "room"}]}','{"items": {"room": {"slip": "17.20270707X2"}}}',0,'[]','2026-11-21T06:45:56Z','2026-11-21T06:45:56Z');
INSERT INTO "reconciler_objects" VALUES('acme','prod','Session','yoga','sessions','prod.bookingbug.com','9','{}','{}',0,'[]','2026-11-21T06:45:56Z','2026-11-21T06:45:56Z');
CREATE TABLE reconciler_sightings (
	project VARCHAR(255) NOT NULL, 
	environment VARCHAR(255) NOT NULL, 
	run_id VARCHAR(64) NOT NULL, 
	connection VARCHAR(255) NOT NULL, 
	kind VARCHAR(64) NOT NULL, 
	ids JSON NOT NULL, 
	PRIMARY KEY (project, environment, run_id, connection, kind)
);
INSERT INTO "reconciler_sightings" VALUES('acme','','run-1','sessions','Session','["123", "124"]');
COMMIT;
