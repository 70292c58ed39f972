-- The inference log. One row a batch. The batch itself (Arrow IPC stream, zstd) is in "content", already compressed.
-- Partitions are days by the database's clock, made ahead by whoever writes and dropped whole by retention.
-- Rows of a pipeline are numbered 0, 1, 2, … in the order in which their batches were committed, and so are the rows
-- that failed a check: a page of the log is a range of these numbers, so paging neither misses nor repeats a row.
CREATE TABLE "inference_log" (
    "day" DATE NOT NULL,
    "pipeline_id" INTEGER NOT NULL,
    "first_row" BIGINT NOT NULL,
    "row_count" INTEGER NOT NULL,
    "first_failure" BIGINT NOT NULL,
    "failure_count" INTEGER NOT NULL,
    -- Times of the oldest and newest row by the pods' clocks, in milliseconds since the epoch.
    "first_ms" BIGINT NOT NULL,
    "last_ms" BIGINT NOT NULL,
    "size_bytes" INTEGER NOT NULL,
    "model_names" TEXT[] NOT NULL,
    "fingerprint" TEXT NOT NULL,
    -- {"<pod id>": [first record, last record]}
    "sequences" JSONB NOT NULL,
    "content" BYTEA NOT NULL,

    CONSTRAINT "inference_log_pkey" PRIMARY KEY ("day", "pipeline_id", "first_row")
) PARTITION BY RANGE ("day");

ALTER TABLE "inference_log" ALTER COLUMN "content" SET STORAGE EXTERNAL;

CREATE INDEX "inference_log_failures_idx" ON "inference_log" ("pipeline_id", "first_failure") WHERE "failure_count" > 0;

-- How far the log of a pipeline has come. Its row lock makes the numbers of batches ascend in the order of commits.
CREATE TABLE "inference_log_heads" (
    "pipeline_id" INTEGER NOT NULL,
    "day" DATE NOT NULL,
    "rows" BIGINT NOT NULL,
    "failures" BIGINT NOT NULL,

    CONSTRAINT "inference_log_heads_pkey" PRIMARY KEY ("pipeline_id")
) WITH (fillfactor = 50);

-- What a pipeline logged on a day: where its numbers begin and which times occur, so that a reader visits only the
-- partitions that it needs.
CREATE TABLE "inference_log_days" (
    "pipeline_id" INTEGER NOT NULL,
    "day" DATE NOT NULL,
    "first_row" BIGINT NOT NULL,
    "rows" BIGINT NOT NULL,
    "first_failure" BIGINT NOT NULL,
    "failures" BIGINT NOT NULL,
    "first_ms" BIGINT NOT NULL,
    "last_ms" BIGINT NOT NULL,
    "size_bytes" BIGINT NOT NULL,

    CONSTRAINT "inference_log_days_pkey" PRIMARY KEY ("pipeline_id", "day")
) WITH (fillfactor = 50);

-- In which pipelines' logs a model stands.
CREATE TABLE "inference_log_models" (
    "model_name" TEXT NOT NULL,
    "pipeline_id" INTEGER NOT NULL,

    CONSTRAINT "inference_log_models_pkey" PRIMARY KEY ("model_name", "pipeline_id")
);

-- The last write of each collector: a write whose outcome was unknown is tried again and counts once.
CREATE TABLE "inference_log_writers" (
    "id" UUID NOT NULL,
    "last_write" BIGINT NOT NULL,
    "written_at" TIMESTAMPTZ(3) NOT NULL DEFAULT now(),

    CONSTRAINT "inference_log_writers_pkey" PRIMARY KEY ("id")
) WITH (fillfactor = 50);

-- Answered rows that are not in the log, exactly counted. Reasons: lost, overflow, refused.
CREATE TABLE "inference_log_drops" (
    "id" BIGINT GENERATED ALWAYS AS IDENTITY NOT NULL,
    "pipeline_id" INTEGER NOT NULL,
    "reason" TEXT NOT NULL,
    "records" BIGINT NOT NULL,
    "rows" BIGINT NOT NULL,
    "counted_at" TIMESTAMPTZ(3) NOT NULL DEFAULT now(),

    CONSTRAINT "inference_log_drops_pkey" PRIMARY KEY ("id")
);

CREATE INDEX "inference_log_drops_pipeline_idx" ON "inference_log_drops" ("pipeline_id", "counted_at");
