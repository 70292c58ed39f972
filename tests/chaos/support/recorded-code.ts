/** What a run is told to do, as its task's arguments. */
export interface CodeOrder {
  /** Names the run in the history. */
  readonly label: string;
  /** Beats of 100 ms between START and END. */
  readonly beats: number;
  /** Seconds before START, while the code is there but has said nothing. */
  readonly delay?: number;
  /** Ignores SIGTERM. */
  readonly isStubborn?: boolean;
  /** A move of the run at which the database waits for its gate; see gates.ts. */
  readonly gate?: string;
}

/** The main.py of every run: it tells the history what it does, and prints a line for each beat. */
export const recordedCode = `import json, os, signal, socket, time

with open(os.environ.get("PADEMELON_ARGUMENTS_FILE", "/home/jovyan/arguments.json")) as file:
    order = json.load(file)
if order.get("isStubborn"):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
name = " ".join([os.environ["WALLAROO_RUN_ID"], os.environ["PADEMELON_ATTEMPT"], order["label"]])
history = socket.create_connection(("127.0.0.1", order["history"])).makefile("rw")

def tell(word):
    history.write(" ".join([word, str(round(time.time() * 1000)), name]) + "\\n")
    history.flush()
    history.readline()

time.sleep(order.get("delay", 0))
tell("START")
for beat in range(order["beats"]):
    print("beat", beat, flush=True)
    time.sleep(0.1)
    tell("BEAT")
tell("END")
`;
