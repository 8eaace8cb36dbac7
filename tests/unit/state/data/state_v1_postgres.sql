-- A state of schema version 1 on PostgreSQL, as version 1's own code wrote it.
CREATE TABLE reconciler_forgotten (
    project character varying(255) NOT NULL,
    environment character varying(255) NOT NULL,
    kind character varying(64) NOT NULL,
    name character varying(63) NOT NULL,
    digest character varying(80) NOT NULL,
    forgotten_at character varying(32) NOT NULL
);
CREATE TABLE reconciler_intents (
    number integer NOT NULL,
    project character varying(255) NOT NULL,
    environment character varying(255) NOT NULL,
    run_id character varying(64) NOT NULL,
    kind character varying(64) NOT NULL,
    name character varying(63) NOT NULL,
    connection character varying(255) NOT NULL,
    target character varying(1024) NOT NULL,
    effect character varying(16) NOT NULL,
    fields json NOT NULL,
    started_at character varying(32) NOT NULL,
    pending_until character varying(32) NOT NULL
);
CREATE SEQUENCE reconciler_intents_number_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE reconciler_intents_number_seq OWNED BY reconciler_intents.number;
CREATE TABLE reconciler_leases (
    project character varying(255) NOT NULL,
    environment character varying(255) NOT NULL,
    run_id character varying(64) NOT NULL,
    holder character varying(255) NOT NULL,
    host character varying(255) NOT NULL,
    pid integer NOT NULL,
    since character varying(32) NOT NULL,
    beat double precision NOT NULL
);
CREATE TABLE reconciler_meta (
    key character varying(64) NOT NULL,
    value text NOT NULL
);
CREATE TABLE reconciler_objects (
    project character varying(255) NOT NULL,
    environment character varying(255) NOT NULL,
    kind character varying(64) NOT NULL,
    name character varying(63) NOT NULL,
    connection character varying(255) NOT NULL,
    target character varying(1024) NOT NULL,
    remote_id character varying(255) NOT NULL,
    fields json NOT NULL,
    computed json NOT NULL,
    protect boolean NOT NULL,
    depends_on json NOT NULL,
    created_at character varying(32) NOT NULL,
    updated_at character varying(32) NOT NULL
);
CREATE TABLE reconciler_sightings (
    project character varying(255) NOT NULL,
    environment character varying(255) NOT NULL,
    run_id character varying(64) NOT NULL,
    connection character varying(255) NOT NULL,
    kind character varying(64) NOT NULL,
    ids json NOT NULL
);
ALTER TABLE ONLY reconciler_intents ALTER COLUMN number SET DEFAULT nextval('reconciler_intents_number_seq'::regclass);
INSERT INTO reconciler_forgotten VALUES ('acme', '', 'BookingSession', 'late', 'sha256:abc', '2026-11-21T06:46:25Z');
INSERT INTO reconciler_intents VALUES (1, 'acme', '', 'run-1', 'Session', 'zumba', 'sessions', 'uk.bookingbug.com', 'create', '{"name": "Zumba"}', '2027-01-01T00:00:00Z', '2027-01-01T00:01:00Z');
INSERT INTO reconciler_intents VALUES (2, 'acme', '', 'run-1', 'Session', 'yoga', 'sessions', 'uk.bookingbug.com', 'update', '{"price": "36.00"}', '2027-01-01T00:00:01Z', '');
INSERT INTO reconciler_leases VALUES ('acme', '', 'run-1', 'ann', 'desk', 4242, '2027-01-01T00:00:00Z', 1798761600);
INSERT INTO reconciler_meta VALUES ('schema_version', '1');
INSERT INTO reconciler_objects VALUES ('acme', '', 'Session', 'yoga', 'sessions', 'uk.bookingbug.com', '123', '{"name": "Y\u00f3ga \u745c\u4f3d", "price": "35.00", "slots": [{"date": "2027-03-01", "time": "11:00", "duration": 60}]}', '{}', true, '[]', '2026-11-21T06:46:25Z', '2026-11-21T06:46:25Z');
INSERT INTO reconciler_objects VALUES ('acme', '', 'Resource', 'court', 'admin', 'acme.bookingbug.com/37004', '13', '{"name": "Court 1", "price": null}', '{}', false, '[]', '2026-11-21T06:46:25Z', '2026-11-21T06:46:25Z');
INSERT INTO reconciler_objects VALUES ('acme', '', 'Block', 'closed', 'admin', 'acme.bookingbug.com/37004', '13-44', '{"resource_id": "13"}', '{}', false, '["Resource/court"]', '2026-11-21T06:46:25Z', '2026-11-21T06:46:25Z');
INSERT INTO reconciler_objects VALUES ('acme', '', 'BookingSession', 'group', 'shop', 'shop.checkfront.com', 's3cr3t', '{"items": [{"key": "room"}]}', '{"items": {"room": {"slip": "17.20270707X2"}}}', false, '[]', '2026-11-21T06:46:25Z', '2026-11-21T06:46:25Z');
INSERT INTO reconciler_objects VALUES ('acme', 'prod', 'Session', 'yoga', 'sessions', 'prod.bookingbug.com', '9', '{}', '{}', false, '[]', '2026-11-21T06:46:25Z', '2026-11-21T06:46:25Z');
INSERT INTO reconciler_sightings VALUES ('acme', '', 'run-1', 'sessions', 'Session', '["123", "124"]');
SELECT pg_catalog.setval('reconciler_intents_number_seq', 2, true);
ALTER TABLE ONLY reconciler_forgotten
    ADD CONSTRAINT reconciler_forgotten_pkey PRIMARY KEY (project, environment, kind, name);
ALTER TABLE ONLY reconciler_intents
    ADD CONSTRAINT reconciler_intents_pkey PRIMARY KEY (number);
ALTER TABLE ONLY reconciler_leases
    ADD CONSTRAINT reconciler_leases_pkey PRIMARY KEY (project, environment);
ALTER TABLE ONLY reconciler_meta
    ADD CONSTRAINT reconciler_meta_pkey PRIMARY KEY (key);
ALTER TABLE ONLY reconciler_objects
    ADD CONSTRAINT reconciler_objects_pkey PRIMARY KEY (project, environment, kind, name);
ALTER TABLE ONLY reconciler_sightings
    ADD CONSTRAINT reconciler_sightings_pkey PRIMARY KEY (project, environment, run_id, connection, kind);
