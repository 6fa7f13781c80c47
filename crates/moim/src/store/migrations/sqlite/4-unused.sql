-- No version has used them: templates are in the configuration, and invitations in the state of their
-- room.
DROP TABLE template;
DROP TABLE invitation;
