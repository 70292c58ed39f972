"""Dynamic batching as the SDK configures it, and bounds that a deployment brings along."""

import asyncio
import time

import httpx
import pandas as pd
import wallaroo
from notebook import HOUSE_PRICES, asset, assert_close, new_workspace, unique, upload
from wallaroo.deployment_config import DeploymentConfigBuilder
from wallaroo.dynamic_batching_config import DynamicBatchingConfig

DELAY_MS = 4000


def one_house(n, row):
    started = time.monotonic()
    answer = n.pipeline.infer(n.houses.iloc[[row]].reset_index(drop=True))
    return answer["out.variable"][0][0], time.monotonic() - started


def at_once(n, frames):
    """What each got, answer or error, and after how many seconds; all are sent together."""

    async def one(client, frame):
        started = time.monotonic()
        try:
            answer = await n.pipeline.async_infer(frame.reset_index(drop=True), async_client=client, timeout=30)
        except Exception as error:  # pylint: disable=broad-except
            answer = error
        return answer, time.monotonic() - started

    async def all_of_them():
        async with httpx.AsyncClient() as client:
            return await asyncio.gather(*(one(client, frame) for frame in frames))

    return asyncio.run(all_of_them())


def cell_set_up(n):
    """has a workspace and a model that is configured for batches"""
    n.wl = wallaroo.Client()
    new_workspace(n.wl, "under-load")
    n.houses = pd.read_json(str(asset("data/xtest-1k.df.json")))
    n.model = upload(n.wl, unique("house-price"), "rf_model.onnx", ["tensor"])
    batches = DynamicBatchingConfig(max_batch_delay_ms=DELAY_MS, batch_size_target=4, batch_size_limit=8)
    n.model.configure(tensor_fields=["tensor"], dynamic_batching_config=batches)


def cell_deploy(n):
    """deploys with bounds of its own beside what the SDK's builder makes"""
    config = DeploymentConfigBuilder().replica_count(1).cpus(1).build()
    config["engine"]["max_ongoing_requests"] = 4
    config["engine"]["max_queued_requests"] = 0
    pipeline = n.wl.build_pipeline(unique("under-load")).add_model_step(n.model)
    n.pipeline = pipeline.deploy(deployment_config=config)
    assert n.pipeline.status()["status"] == "Running"


def cell_lone_request(n):
    """lets a lone request wait for others, and answers it"""
    price, seconds = one_house(n, 0)
    assert_close([price], HOUSE_PRICES[:1])
    assert seconds >= DELAY_MS / 1000, f"answered after {seconds} s"


def cell_full_batch(n):
    """gives each of those that were joined its own price, without waiting for more"""
    outcomes = at_once(n, [n.houses.iloc[[row]] for row in range(4)])
    assert_close([answer["out.variable"][0][0] for answer, _ in outcomes], HOUSE_PRICES[:4])
    assert min(seconds for _, seconds in outcomes) < DELAY_MS / 1000


def cell_overload(n):
    """refuses what is beyond the bounds, which the SDK tells at once instead of repeating it"""
    # Other columns are other batches: each of these waits for its delay.
    frames = [n.houses.iloc[[row]].assign(**{f"other_{row}": row}) for row in range(12)]
    outcomes = at_once(n, frames)
    refused = [(str(error), seconds) for error, seconds in outcomes if isinstance(error, Exception)]
    assert 0 < len(refused) < len(frames), f"{len(refused)} of {len(frames)} were refused"
    for text, seconds in refused:
        assert "429" in text and "Too many requests" in text, text
        # Repeated as a 503 is, it would take the SDK ten tries.
        assert seconds < 10, f"refused after {seconds} s"


def cell_clean_up(n):
    """undeploys"""
    n.pipeline.undeploy()
