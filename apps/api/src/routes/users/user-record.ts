import type { Caller, User } from '@pademelon/domain';
import { Type } from 'typebox';

/** A user as Keycloak and the SDKs know it. Times are milliseconds since the epoch. */
export const UserRecord = Type.Object({
  id: Type.String(),
  username: Type.String(),
  email: Type.String(),
  emailVerified: Type.Boolean(),
  firstName: Type.Optional(Type.String()),
  lastName: Type.Optional(Type.String()),
  enabled: Type.Boolean(),
  createdTimestamp: Type.Integer(),
  lastLogin: Type.Union([Type.Integer(), Type.Null()]),
  realmRoles: Type.Array(Type.String()),
  notBefore: Type.Integer(),
  requiredActions: Type.Array(Type.String()),
  disableableCredentialTypes: Type.Array(Type.String()),
  federatedIdentities: Type.Array(Type.String()),
  access: Type.Object({
    view: Type.Boolean(),
    manage: Type.Boolean(),
    manageGroupMembership: Type.Boolean(),
    mapRoles: Type.Boolean(),
    impersonate: Type.Boolean(),
  }),
});

/** When somebody logged in last is told to administrators and to themselves. */
export function toUserRecord(caller: Caller, user: User) {
  const seesLogin = caller.isAdmin || caller.userId === user.id;
  return {
    id: user.id,
    username: user.username,
    email: user.email,
    emailVerified: true,
    ...(user.firstName === null ? {} : { firstName: user.firstName }),
    ...(user.lastName === null ? {} : { lastName: user.lastName }),
    enabled: user.isEnabled,
    createdTimestamp: user.createdAt.getTime(),
    lastLogin: (seesLogin && user.lastLoginAt?.getTime()) || null,
    realmRoles: user.isAdmin ? ['admin'] : [],
    notBefore: 0,
    requiredActions: [],
    disableableCredentialTypes: [],
    federatedIdentities: [],
    access: {
      view: true,
      manage: caller.isAdmin,
      manageGroupMembership: false,
      mapRoles: false,
      impersonate: false,
    },
  };
}
