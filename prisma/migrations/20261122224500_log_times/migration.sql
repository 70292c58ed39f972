-- Where a time window begins and ends among the batches of a day, without looking at every batch before it: "latest_ms"
-- is the newest time of a pipeline's log up to and including the batch, so it never goes back as row numbers go on, and
-- "lateness_ms" of a day is how far at most the first row of a batch lay behind it.
ALTER TABLE "inference_log_heads" ADD COLUMN "latest_ms" BIGINT NOT NULL DEFAULT 0;
ALTER TABLE "inference_log_days" ADD COLUMN "lateness_ms" BIGINT NOT NULL DEFAULT 0;
ALTER TABLE "inference_log" ADD COLUMN "latest_ms" BIGINT;

UPDATE "inference_log" AS batch SET "latest_ms" = known.latest_ms
  FROM (SELECT day, pipeline_id, first_row, max(last_ms) OVER (PARTITION BY pipeline_id ORDER BY first_row) AS latest_ms
          FROM "inference_log") AS known
 WHERE (batch.day, batch.pipeline_id, batch.first_row) = (known.day, known.pipeline_id, known.first_row);

UPDATE "inference_log_days" AS day SET "lateness_ms" = known.lateness_ms
  FROM (SELECT day, pipeline_id, max(latest_ms - first_ms) AS lateness_ms FROM "inference_log" GROUP BY 1, 2) AS known
 WHERE (day.day, day.pipeline_id) = (known.day, known.pipeline_id);

UPDATE "inference_log_heads" AS head SET "latest_ms" = known.latest_ms
  FROM (SELECT pipeline_id, max(latest_ms) AS latest_ms FROM "inference_log" GROUP BY 1) AS known
 WHERE head.pipeline_id = known.pipeline_id;

ALTER TABLE "inference_log" ALTER COLUMN "latest_ms" SET NOT NULL;

CREATE INDEX "inference_log_latest_idx" ON "inference_log" ("pipeline_id", "latest_ms", "first_row");
