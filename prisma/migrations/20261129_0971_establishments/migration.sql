-- Establishments of a company besides its head office, as its register answered; kept as long as the answer itself.
CREATE TABLE company_establishment (
  root     text NOT NULL REFERENCES company_record (root),
  cnpj     text NOT NULL CHECK (left(cnpj, 8) = root),
  name     text NOT NULL,
  standing text NOT NULL CHECK (standing IN ('regular', 'suspended', 'dissolved', 'cancelled')),
  PRIMARY KEY (root, cnpj)
);
COMMENT ON COLUMN company_establishment.root IS 'sensitive: yes';
COMMENT ON COLUMN company_establishment.cnpj IS 'sensitive: yes';
COMMENT ON COLUMN company_establishment.name IS 'sensitive: yes';
COMMENT ON COLUMN company_establishment.standing IS 'sensitive: yes';
