-- CreateTable
CREATE TABLE "run_connections" (
    "run_id" UUID NOT NULL,
    "connection_id" UUID NOT NULL,
    "sealed_details" BYTEA NOT NULL,
    "key_id" TEXT NOT NULL,

    CONSTRAINT "run_connections_pkey" PRIMARY KEY ("run_id","connection_id")
);

-- AddForeignKey
ALTER TABLE "run_connections" ADD CONSTRAINT "run_connections_run_id_fkey" FOREIGN KEY ("run_id") REFERENCES "runs"("id") ON DELETE CASCADE ON UPDATE CASCADE;
