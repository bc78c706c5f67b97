-- The month of every contract, written apart from the product: day by day for what is subscribed, point by point for what is used, with plain joins.
-- Reads c15, c12, r151, r64, depassements and the table `horizon` (jour). Powers in whole kVA; the rates are those of the regulator's lists, typed again.

CREATE OR REPLACE TEMP TABLE o_rates AS SELECT * FROM (VALUES
  ('BTINFCUST', DATE '2023-08-01', DATE '2024-11-01', 15.48 + 19.92,  9.96, 4.37, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  ('BTINFCUST', DATE '2024-11-01', DATE '2025-02-01', 16.20 + 20.88, 10.44, 4.58, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  ('BTINFCUST', DATE '2025-02-01', DATE '2025-08-01', 16.92 + 22.44, 11.28, 4.93, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  ('BTINFCUST', DATE '2025-08-01', DATE '2026-08-01', 16.80 + 22.00, 11.07, 4.84, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  ('BTINFMUDT', DATE '2023-08-01', DATE '2024-11-01', 15.48 + 19.92, 12.24, NULL, 4.47, 3.16, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  ('BTINFMUDT', DATE '2024-11-01', DATE '2025-02-01', 16.20 + 20.88, 12.72, NULL, 4.68, 3.31, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  ('BTINFMUDT', DATE '2025-02-01', DATE '2025-08-01', 16.92 + 22.44, 13.80, NULL, 5.04, 3.57, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  ('BTINFMUDT', DATE '2025-08-01', DATE '2026-08-01', 16.80 + 22.00, 13.49, NULL, 4.94, 3.50, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  ('BTINFCU4',  DATE '2023-08-01', DATE '2024-11-01', 15.48 + 19.92,  9.00, NULL, NULL, NULL, 6.67, 4.56, 1.43, 0.88, NULL, NULL, NULL, NULL),
  ('BTINFCU4',  DATE '2024-11-01', DATE '2025-02-01', 16.20 + 20.88,  9.36, NULL, NULL, NULL, 6.96, 4.76, 1.48, 0.92, NULL, NULL, NULL, NULL),
  ('BTINFCU4',  DATE '2025-02-01', DATE '2025-08-01', 16.92 + 22.44, 10.08, NULL, NULL, NULL, 7.50, 5.13, 1.60, 1.00, NULL, NULL, NULL, NULL),
  ('BTINFCU4',  DATE '2025-08-01', DATE '2026-08-01', 16.80 + 22.00, 10.11, NULL, NULL, NULL, 7.49, 3.97, 1.66, 1.16, NULL, NULL, NULL, NULL),
  ('BTINFMU4',  DATE '2023-08-01', DATE '2024-11-01', 15.48 + 19.92, 10.56, NULL, NULL, NULL, 6.12, 4.24, 1.39, 0.87, NULL, NULL, NULL, NULL),
  ('BTINFMU4',  DATE '2024-11-01', DATE '2025-02-01', 16.20 + 20.88, 11.04, NULL, NULL, NULL, 6.39, 4.43, 1.46, 0.91, NULL, NULL, NULL, NULL),
  ('BTINFMU4',  DATE '2025-02-01', DATE '2025-08-01', 16.92 + 22.44, 11.88, NULL, NULL, NULL, 6.89, 4.77, 1.57, 0.98, NULL, NULL, NULL, NULL),
  ('BTINFMU4',  DATE '2025-08-01', DATE '2026-08-01', 16.80 + 22.00, 12.12, NULL, NULL, NULL, 7.00, 3.73, 1.61, 1.11, NULL, NULL, NULL, NULL),
  ('BTSUPCU',   DATE '2025-08-01', DATE '2026-08-01', 217.80 + 283.27, 17.61, NULL, NULL, NULL, 6.91, 4.21, 2.13, 1.52, 15.96, 14.56, 11.98, 12.41),
  ('BTSUPLU',   DATE '2025-08-01', DATE '2026-08-01', 217.80 + 283.27, 30.16, NULL, NULL, NULL, 5.69, 3.47, 2.01, 1.49, 21.18, 16.64, 12.37, 12.41)
) AS r (fta, du, au, year_eur, b, base, hp, hc, hph, hch, hpb, hcb, b2, b3, b4, overrun_eur);

CREATE OR REPLACE TEMP TABLE o_cta AS SELECT * FROM (VALUES
  (DATE '2020-01-01', DATE '2021-08-01', 27.04), (DATE '2021-08-01', DATE '2026-02-01', 21.93), (DATE '2026-02-01', DATE '9999-01-01', 15.00)
) AS r (du, au, percent);

CREATE OR REPLACE TEMP TABLE o_excise AS SELECT * FROM (VALUES
  ('2024-02', '2025-02', 21.00, 20.50, 20.50), ('2025-02', '2025-08', 33.70, 26.23, 22.50),
  ('2025-08', '2026-02', 29.98, 25.79, 25.79), ('2026-02', '9999-01', 30.85, 26.58, 26.58)
) AS r (du, au, to_36, to_250, above);

-- Cents of a value in hundredths of cents times a divisor: half away from zero, all amounts are positive.
CREATE OR REPLACE TEMP MACRO o_round(n, d) AS CAST((n * 2 + d) // (d * 2) AS BIGINT);

-- 0. What C12 says of a point from a day on. A point that C15 does not know is a contract of its own, from its first line to its exit.
CREATE OR REPLACE TEMP TABLE o_c12 AS
SELECT pdl, greatest(CAST(date_evenement[1:10] AS DATE), CAST(date_debut[1:10] AS DATE)) AS du, nature_evenement AS ev, formule_tarifaire_acheminement AS f,
  [CAST(puissance_souscrite_hph_kva AS INTEGER), CAST(puissance_souscrite_hch_kva AS INTEGER), CAST(puissance_souscrite_hpb_kva AS INTEGER),
    CAST(puissance_souscrite_hcb_kva AS INTEGER)] AS four,
  NOT EXISTS (SELECT 1 FROM c15 WHERE c15.pdl = c12.pdl) AS is_alone
FROM c12;

-- 1. Events, in order of their instants; what an event leaves out is looked up in the ones before it.
CREATE OR REPLACE TEMP TABLE o_events AS
SELECT ref_situation_contractuelle AS rsc, pdl, date_evenement AS at, CAST(date_evenement AS TIMESTAMPTZ) AS t, CAST(date_evenement[1:10] AS DATE) AS d,
  evenement_declencheur AS ev, CAST(puissance_souscrite_kva AS INTEGER) AS p, formule_tarifaire_acheminement AS f, niveau_ouverture_services AS niv,
  avant_id_calendrier_distributeur AS cal_a, apres_id_calendrier_distributeur AS cal_b,
  [avant_index_base_kwh, avant_index_hp_kwh, avant_index_hc_kwh, avant_index_hph_kwh, avant_index_hch_kwh, avant_index_hpb_kwh, avant_index_hcb_kwh] AS a,
  [apres_index_base_kwh, apres_index_hp_kwh, apres_index_hc_kwh, apres_index_hph_kwh, apres_index_hch_kwh, apres_index_hpb_kwh, apres_index_hcb_kwh] AS b,
  avant_nature_index AS nat_a, apres_nature_index AS nat_b, false AS is_c12
FROM c15 WHERE CAST(date_evenement[1:10] AS DATE) <= (SELECT jour FROM horizon)
UNION ALL
SELECT 'C12-' || pdl || '-' || strftime(min(du) OVER (PARTITION BY pdl), '%Y%m%d'), pdl, NULL, timezone('Europe/Paris', CAST(du AS TIMESTAMP)), du,
  ev, list_max(four), f, NULL, NULL, NULL, [], [], NULL, NULL, true
FROM o_c12 WHERE is_alone AND du <= (SELECT jour FROM horizon);

CREATE OR REPLACE TEMP TABLE o_filled AS
SELECT e.* EXCLUDE (p, f, niv),
  (SELECT arg_max(x.p, row(x.t, x.p)) FROM o_events x WHERE x.rsc = e.rsc AND x.t <= e.t AND x.p IS NOT NULL) AS p,
  (SELECT arg_max(x.f, row(x.t, x.f)) FROM o_events x WHERE x.rsc = e.rsc AND x.t <= e.t AND x.f IS NOT NULL) AS f,
  (SELECT arg_max(x.f, row(x.t, x.f)) FROM o_events x WHERE x.rsc = e.rsc AND x.t < e.t AND x.f IS NOT NULL) AS f_before,
  (SELECT arg_max(x.p, row(x.t, x.p)) FROM o_events x WHERE x.rsc = e.rsc AND x.t < e.t AND x.p IS NOT NULL) AS p_before
FROM o_events e;

-- From a day on which two values of one thing are claimed at one instant, nothing of the contract has an amount. The larger one is shown.
CREATE OR REPLACE TEMP TABLE o_doubts AS
SELECT rsc, min(d) AS d FROM (
  SELECT rsc, d FROM o_events GROUP BY rsc, d, t HAVING count(DISTINCT p) > 1 OR count(DISTINCT f) > 1
) GROUP BY rsc;

CREATE OR REPLACE TEMP TABLE o_contracts AS
SELECT rsc, any_value(pdl) AS pdl, min(d) AS entry, min(d) FILTER (WHERE ev IN ('RES', 'CFNS')) AS exit FROM o_events GROUP BY rsc;

-- 2. What is subscribed, day by day: the last event of a day holds from that day on, and the newest four powers of C12 unless C15 has another power since.
-- Equal days in a row are one stretch, at most a month long.
CREATE OR REPLACE TEMP TABLE o_days AS
WITH told AS (
  SELECT c.rsc, c.pdl, CAST(g.day AS DATE) AS day, arg_max(e.p, e.t) AS p, arg_max(e.f, e.t) AS f,
    max(e.d) FILTER (WHERE e.p IS DISTINCT FROM e.p_before) AS since
  FROM o_contracts c
  CROSS JOIN generate_series(c.entry, coalesce(c.exit, (SELECT jour FROM horizon)) - INTERVAL 1 DAY, INTERVAL 1 DAY) AS g(day)
  JOIN o_filled e ON e.rsc = c.rsc AND e.d <= g.day
  WHERE g.day < (SELECT jour FROM horizon)
  GROUP BY ALL
), newest AS (
  SELECT t.rsc, t.day, max(s.du) AS du FROM told t JOIN o_c12 s ON s.pdl = t.pdl AND s.du <= t.day GROUP BY ALL
)
SELECT t.rsc, t.pdl, t.day, strftime(t.day, '%Y-%m') AS month, t.f, coalesce(list_max(s.four), t.p) AS p, s.four
FROM told t
LEFT JOIN newest n ON n.rsc = t.rsc AND n.day = t.day AND n.du >= t.since
LEFT JOIN o_c12 s ON s.pdl = t.pdl AND s.du = n.du;

CREATE OR REPLACE TEMP TABLE o_fixed AS
WITH runs AS (
  SELECT *, day - CAST(row_number() OVER (PARTITION BY rsc, month, p, f, four ORDER BY day) AS INTEGER) AS run FROM o_days
), stretches AS (
  SELECT rsc, pdl, month, p, f, four, count(*) AS days, min(day) AS first FROM runs GROUP BY rsc, pdl, month, p, f, four, run
), paid AS (
  SELECT s.*, r.overrun_eur, CASE
      WHEN EXISTS (SELECT 1 FROM o_doubts u WHERE u.rsc = s.rsc AND u.d < s.first + CAST(s.days AS INTEGER)) THEN NULL
      WHEN four IS NULL OR r.b2 IS NULL THEN o_round(CAST((r.b * s.p + r.year_eur) * 100 AS BIGINT) * s.days, 365)
      WHEN four[1] <= four[2] AND four[2] <= four[3] AND four[3] <= four[4]
        THEN o_round(CAST((r.b * four[1] + r.b2 * (four[2] - four[1]) + r.b3 * (four[3] - four[2]) + r.b4 * (four[4] - four[3]) + r.year_eur) * 100 AS BIGINT)
          * s.days, 365) END AS cents
  FROM stretches s LEFT JOIN o_rates r ON r.fta = s.f AND r.du <= s.first AND s.first < r.au
)
SELECT rsc, any_value(pdl) AS pdl, month, min(first) AS first, sum(days) AS days, sum(p * days) AS kva_days, max(p) AS top,
  CASE WHEN count(cents) = count(*) THEN sum(cents) END AS cents, max(overrun_eur) AS overrun_eur
FROM paid GROUP BY rsc, month;

-- 3. The points at which a contract is read, or should have been: (time, side) in order.
CREATE OR REPLACE TEMP TABLE o_bound_events AS
SELECT *, ev IN ('PMES', 'MES', 'CFNE') AS is_in, ev IN ('RES', 'CFNS') AS is_out, len(list_filter(a, x -> x IS NOT NULL)) > 0 AS has_a,
  len(list_filter(b, x -> x IS NOT NULL)) > 0 AS has_b
FROM o_filled;

CREATE OR REPLACE TEMP TABLE o_points AS
WITH wanted AS (
  SELECT * FROM o_bound_events
  WHERE NOT is_c12 AND (is_in OR is_out OR (f_before IS NOT NULL AND f IS DISTINCT FROM f_before) OR (has_a AND has_b AND (a IS DISTINCT FROM b OR cal_a IS DISTINCT FROM cal_b)))
), sides AS (
  SELECT rsc, t, d, 0 AS side, a AS idx, nat_a AS nature FROM wanted WHERE has_a OR (NOT is_in AND NOT (is_out AND has_b))
  UNION ALL
  SELECT rsc, t, d, 1, b, nat_b FROM wanted WHERE has_b OR (NOT is_out AND NOT (is_in AND has_a))
), firsts AS (
  SELECT c.rsc, c.pdl, CAST(g.day AS DATE) AS d
  FROM o_contracts c
  CROSS JOIN generate_series(date_trunc('month', c.entry) + INTERVAL 1 MONTH, coalesce(date_trunc('month', c.exit), (SELECT jour FROM horizon)), INTERVAL 1 MONTH) AS g(day)
  WHERE g.day <= (SELECT jour FROM horizon)
  UNION
  SELECT rsc, pdl, d FROM o_bound_events WHERE is_c12 AND (is_in OR is_out)
), read AS (
  SELECT pdl, CAST(date_releve[1:10] AS DATE) AS d, CAST(date_releve AS TIMESTAMPTZ) AS t, 1 AS choice, etape_metier AS stage,
    [index_base_kwh, index_hp_kwh, index_hc_kwh, index_hph_kwh, index_hch_kwh, index_hpb_kwh, index_hcb_kwh] AS idx FROM r64
  UNION ALL
  SELECT pdl, CAST(date_releve[1:10] AS DATE), CAST(date_releve AS TIMESTAMPTZ), 2, NULL,
    [index_base_kwh, index_hp_kwh, index_hc_kwh, index_hph_kwh, index_hch_kwh, index_hpb_kwh, index_hcb_kwh] FROM r151
), best AS (
  SELECT pdl, d, min(choice) AS choice FROM read GROUP BY pdl, d
)
SELECT * FROM (
SELECT * FROM sides
UNION ALL
SELECT f.rsc, f.t, f.d, 0, r.idx, CASE WHEN r.idx IS NOT NULL THEN 'REEL' END
FROM (SELECT *, timezone('Europe/Paris', CAST(d AS TIMESTAMP)) AS t FROM firsts) f
LEFT JOIN best b ON b.pdl = f.pdl AND b.d = f.d
LEFT JOIN read r ON r.pdl = b.pdl AND r.d = b.d AND r.choice = b.choice
WHERE NOT EXISTS (SELECT 1 FROM sides s WHERE s.rsc = f.rsc AND s.t = f.t AND s.idx IS NOT NULL AND len(list_filter(s.idx, x -> x IS NOT NULL)) > 0)
)
-- Where an event without a reading falls on a first of a month, what was read there is its reading.
QUALIFY row_number() OVER (PARTITION BY rsc, t, side ORDER BY coalesce(len(list_filter(idx, x -> x IS NOT NULL)), 0) DESC) = 1;

-- 4. Each point with the next one of its contract.
CREATE OR REPLACE TEMP TABLE o_numbered AS
SELECT *, CAST(row_number() OVER (PARTITION BY rsc ORDER BY t, side) AS INTEGER) AS n FROM o_points;

CREATE OR REPLACE TEMP TABLE o_pairs AS
SELECT x.rsc, x.d AS d0, y.d AS d1, y.d - x.d AS days, x.n, x.idx AS i0, y.idx AS i1, x.nature = 'ESTIME' OR y.nature = 'ESTIME' AS guessed,
  -- Registers of the first reading.
  CASE WHEN x.idx[4] IS NOT NULL THEN [4, 5, 6, 7] WHEN x.idx[2] IS NOT NULL THEN [2, 3] WHEN x.idx[1] IS NOT NULL THEN [1] END AS registers,
  (SELECT arg_max(e.f, e.t) FROM o_filled e WHERE e.rsc = x.rsc AND e.t <= x.t) AS f
FROM o_numbered x JOIN o_numbered y ON y.rsc = x.rsc AND y.n = x.n + 1
WHERE NOT (x.t = y.t AND x.side = 0 AND y.side = 1);

CREATE OR REPLACE TEMP TABLE o_used AS
SELECT *, list_transform([1, 2, 3, 4, 5, 6, 7], r -> CASE
    WHEN registers IS NULL OR NOT list_contains(registers, r) THEN NULL
    WHEN i1[r] >= i0[r] THEN i1[r] - i0[r]
    WHEN i1[r] + 1000000 - i0[r] <= 1000 * greatest(days, 1) THEN i1[r] + 1000000 - i0[r] END) AS kwh
FROM o_pairs;

-- The minute after midnight: its energy is of the period that begins with the event.
CREATE OR REPLACE TEMP TABLE o_periods AS
SELECT u.*, list_transform([1, 2, 3, 4, 5, 6, 7], r -> u.kwh[r] + coalesce(m.kwh[r], 0)) AS all_kwh,
  m.registers IS NOT NULL AND m.registers IS DISTINCT FROM u.registers AND coalesce(list_sum(m.kwh), 0) > 0 AS is_lost
FROM o_used u
LEFT JOIN o_used m ON m.rsc = u.rsc AND m.days = 0 AND m.d1 = u.d0
WHERE u.days > 0;

CREATE OR REPLACE TEMP TABLE o_energy AS
WITH sums AS (
  SELECT *, CASE WHEN registers IS NOT NULL AND NOT is_lost AND len(list_filter(registers, r -> all_kwh[r] IS NULL)) = 0
    THEN list_sum(list_transform(registers, r -> all_kwh[r])) END AS total
  FROM o_periods
)
SELECT s.rsc, strftime(s.d0, '%Y-%m') AS month, s.days, s.guessed, s.total,
  CASE WHEN s.total IS NULL OR EXISTS (SELECT 1 FROM o_doubts u WHERE u.rsc = s.rsc AND u.d < s.d1) THEN NULL
    WHEN r.base IS NOT NULL THEN o_round(CAST(r.base * 100 AS BIGINT) * s.total, 100)
    WHEN r.hp IS NOT NULL AND s.registers = [2, 3] THEN o_round(CAST(r.hp * 100 AS BIGINT) * s.all_kwh[2] + CAST(r.hc * 100 AS BIGINT) * s.all_kwh[3], 100)
    WHEN r.hp IS NOT NULL AND s.registers = [4, 5, 6, 7] THEN o_round(CAST(r.hp * 100 AS BIGINT) * (s.all_kwh[4] + s.all_kwh[6]) + CAST(r.hc * 100 AS BIGINT) * (s.all_kwh[5] + s.all_kwh[7]), 100)
    WHEN r.hph IS NOT NULL AND s.registers = [4, 5, 6, 7] THEN o_round(CAST(r.hph * 100 AS BIGINT) * s.all_kwh[4] + CAST(r.hch * 100 AS BIGINT) * s.all_kwh[5]
      + CAST(r.hpb * 100 AS BIGINT) * s.all_kwh[6] + CAST(r.hcb * 100 AS BIGINT) * s.all_kwh[7], 100) END AS cents
FROM sums s LEFT JOIN o_rates r ON r.fta = s.f AND r.du <= s.d0 AND s.d0 < r.au;

-- 5. The months, with the hours over the power, and the taxes.
CREATE OR REPLACE TEMP TABLE o_months AS
WITH energies AS (
  SELECT rsc, month, count(*) AS n, count(total) AS known, count(cents) AS paid, CAST(sum(total) AS BIGINT) AS kwh, CAST(sum(cents) AS BIGINT) AS cents,
    bool_or(guessed) AS guessed
  FROM o_energy GROUP BY rsc, month
), hours AS (
  SELECT ref_situation_contractuelle AS rsc, mois AS month, sum(heures) AS h FROM depassements GROUP BY ALL
)
SELECT f.rsc, f.pdl, f.month, CAST(f.days AS INTEGER) AS days, f.top, CAST(round(CAST(f.kva_days AS DECIMAL(18, 6)) / f.days, 3) AS DECIMAL(18, 3)) AS kva,
  CAST(f.cents AS BIGINT) AS fixed_c, CASE WHEN e.n = e.known THEN e.kwh END AS kwh,
  CASE WHEN e.n = e.paid THEN e.cents + CASE WHEN f.overrun_eur IS NULL THEN 0 ELSE o_round(CAST(h.h * f.overrun_eur * 10000 AS BIGINT), 100) END END AS variable_c,
  o_round(CAST(f.cents * x.percent * 100 AS BIGINT), 10000) AS cta_c,
  CASE WHEN e.n IS NULL OR e.known < e.n THEN 'incalculable' WHEN e.guessed THEN 'estimée' ELSE 'réelle' END AS quality
FROM o_fixed f
LEFT JOIN energies e ON e.rsc = f.rsc AND e.month = f.month
LEFT JOIN hours h ON h.rsc = f.rsc AND h.month = f.month
LEFT JOIN o_cta x ON x.du <= f.first AND f.first < x.au;

-- Two contracts of a point in a month are one for the state.
CREATE OR REPLACE TEMP TABLE o_taxed AS
WITH points AS (
  SELECT pdl, month, CASE WHEN count(kwh) = count(*) THEN CAST(sum(kwh) AS BIGINT) END AS kwh, max(top) AS top FROM o_months GROUP BY pdl, month
)
SELECT p.pdl, p.month, p.kwh,
  o_round(CAST(p.kwh * CASE WHEN p.top <= 36 THEN r.to_36 WHEN p.top <= 250 THEN r.to_250 ELSE r.above END * 100 AS BIGINT), 1000) AS excise_c
FROM points p LEFT JOIN o_excise r ON r.du <= p.month AND p.month < r.au;
