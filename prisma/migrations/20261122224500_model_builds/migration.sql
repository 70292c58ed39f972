-- CreateTable
CREATE TABLE "model_builds" (
    "model_version_id" INTEGER NOT NULL,
    "build_log" TEXT NOT NULL DEFAULT '',
    "lease_token" UUID,
    "lease_expires_at" TIMESTAMPTZ(3),
    "attempts" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "model_builds_pkey" PRIMARY KEY ("model_version_id")
);

-- AddForeignKey
ALTER TABLE "model_builds" ADD CONSTRAINT "model_builds_model_version_id_fkey" FOREIGN KEY ("model_version_id") REFERENCES "model_versions"("id") ON DELETE CASCADE ON UPDATE CASCADE;
