"""First program of a run inside its jail: opens the way out, copies the code into the private home, starts main.py.

The jail has a network of its own with nothing but loopback. Each address that the run may reach is listened on here
and handed through a Unix socket to the worker's proxy, which holds the policy. Only the standard library is used, and
of it little, because every run waits for this.

Arguments: a JSON object {"forwards": [[address, port, request], ...], "socket": path, "copies": [[from, to], ...],
"cwd": folder, "command": [...], "tasks": number}. `request` is the line with which the proxy is told where a connection
wants to go; `tasks` is how many processes and threads there may be.
"""
import json
import os
import resource
import signal
import socket
import sys
import _thread


def pump(source, target):
    try:
        while True:
            data = source.recv(65536)
            if not data:
                break
            target.sendall(data)
    except OSError:
        pass
    try:
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def hand_over(inner, path, request):
    outer = socket.socket(socket.AF_UNIX)
    try:
        outer.connect(path)
        outer.sendall(request.encode() + b"\n")
    except OSError:
        inner.close()
        outer.close()
        return
    _thread.start_new_thread(pump, (inner, outer))
    pump(outer, inner)


def listen(address, port, path, request):
    server = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((address, port))
    server.listen(128)

    def accept():
        while True:
            inner, _ = server.accept()
            inner.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _thread.start_new_thread(hand_over, (inner, path, request))

    _thread.start_new_thread(accept, ())


def copy_tree(source, target):
    os.makedirs(target, exist_ok=True)
    for entry in os.scandir(source):
        destination = os.path.join(target, entry.name)
        if entry.is_dir(follow_symlinks=False):
            copy_tree(entry.path, destination)
        else:
            with open(entry.path, "rb") as reader, open(destination, "wb") as writer:
                while True:
                    block = reader.read(1048576)
                    if not block:
                        break
                    writer.write(block)


def limit_tasks(tasks):
    # Older kernels count all processes of the worker's user, whatever jail they are in.
    if tuple(int(part) for part in os.uname().release.split("-")[0].split(".")[:2]) >= (5, 14):
        resource.setrlimit(resource.RLIMIT_NPROC, (tasks, tasks))


def main():
    plan = json.loads(sys.argv[1])
    for address, port, request in plan["forwards"]:
        try:
            listen(address, port, plan["socket"], request)
        except OSError as error:
            # The rest can be reached all the same.
            print("[pademelon] %s: port %d could not be opened: %s" % (request, port, error), file=sys.stderr)
    for source, target in plan["copies"]:
        copy_tree(source, target)
    os.chdir(plan["cwd"])
    limit_tasks(plan["tasks"])
    with open(os.devnull) as nothing:
        child = os.posix_spawn(
            plan["command"][0],
            plan["command"],
            os.environ,
            setpgroup=0,
            file_actions=[(os.POSIX_SPAWN_DUP2, nothing.fileno(), 0)],
        )

    def obey():
        # The supervisor ends a run politely by closing our standard input; it kills the whole jail if that is ignored.
        while os.read(0, 4096):
            pass
        try:
            os.killpg(child, signal.SIGTERM)
        except ProcessLookupError:
            pass

    _thread.start_new_thread(obey, ())
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)


main()
