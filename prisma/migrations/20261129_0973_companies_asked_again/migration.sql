-- Answers of the company register from before it named establishments are asked for again.
UPDATE company_record SET checked_at = to_timestamp(0);
UPDATE company_lookup SET checked_at = to_timestamp(0);
