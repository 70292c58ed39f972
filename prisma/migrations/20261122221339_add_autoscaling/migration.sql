-- AlterTable
ALTER TABLE "deployments" ADD COLUMN     "scaled_replicas" INTEGER;

-- AlterTable
ALTER TABLE "pods" ADD COLUMN     "used_cores" DOUBLE PRECISION;

-- CreateTable
CREATE TABLE "gateway_loads" (
    "gateway_id" UUID NOT NULL,
    "deployment_id" INTEGER NOT NULL,
    "requests" DOUBLE PRECISION NOT NULL,
    "written_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "gateway_loads_pkey" PRIMARY KEY ("gateway_id","deployment_id")
);

-- AddForeignKey
ALTER TABLE "gateway_loads" ADD CONSTRAINT "gateway_loads_deployment_id_fkey" FOREIGN KEY ("deployment_id") REFERENCES "deployments"("id") ON DELETE CASCADE ON UPDATE CASCADE;
