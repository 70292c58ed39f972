-- The rows of a batch that failed a check, once more as a batch of their own and in the form of "content": the failures
-- of a long log are read without its other rows. Null where the batch has none, or where the whole is as good.
ALTER TABLE "inference_log" ADD COLUMN "failed_content" BYTEA;
ALTER TABLE "inference_log" ALTER COLUMN "failed_content" SET STORAGE EXTERNAL;
