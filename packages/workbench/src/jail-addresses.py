"""Gives addresses to the loopback interface of a network, and goes on as the program that makes a jail in it.

It runs outside of the jail, with the capability that this takes; the jail has none. Only the standard library is used,
and of it little, because runs wait for this.

Arguments: IP addresses with commas between them, and the command to go on as.
"""
import os
import socket
import struct
import sys

# Of linux/rtnetlink.h, linux/netlink.h and linux/if_addr.h.
RTM_NEWADDR = 20
NLM_F_REQUEST = 1
IFA_LOCAL = 2


def add_address(netlink, address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    packed = socket.inet_pton(family, address)
    attribute = struct.pack("=HH", 4 + len(packed), IFA_LOCAL) + packed
    # The address alone, without a network around it: its neighbours stay out of reach.
    message = struct.pack("=BBBBI", family, 8 * len(packed), 0, 0, socket.if_nametoindex("lo")) + attribute
    netlink.send(struct.pack("=IHHII", 16 + len(message), RTM_NEWADDR, NLM_F_REQUEST, 0, 0) + message)


with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as netlink:
    for address in sys.argv[1].split(","):
        try:
            add_address(netlink, address)
        except OSError:
            # Nor is anything said here where the kernel refuses one: jail-init.py will say that it cannot listen there.
            pass
os.execvp(sys.argv[2], sys.argv[2:])
