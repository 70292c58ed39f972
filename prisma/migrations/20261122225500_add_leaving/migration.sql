-- AlterTable
ALTER TABLE "inference_hosts" ADD COLUMN     "is_leaving" BOOLEAN NOT NULL DEFAULT false;

-- AlterTable
ALTER TABLE "pods" ADD COLUMN     "is_leaving" BOOLEAN NOT NULL DEFAULT false;
