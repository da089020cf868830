// Package keys has keys and tenants of every sort.
package keys

import (
	"context"
	"encoding/hex"
	"errors"

	"github.com/google/uuid"
)

// ErrNone says that there is no such row.
var ErrNone = errors.New("none")

// ContractKey is a key of two parts.
type ContractKey struct {
	Region string
	Number int64
}

// Contract is a value of Contracts.
type Contract struct {
	Region string
	Number int64
	Text   string
}

// Contracts has a composite key, taken as parts here and as a struct there, and
// tenants that are no strings.
//
//crossfade:entity notfound=ErrNone get=Get put=Save delete=Delete keys=Keys
type Contracts interface {
	//crossfade:read key=region,number
	Get(ctx context.Context, tenant uuid.UUID, region string, number int64) (Contract, error)
	//crossfade:read keys=keys
	GetAll(ctx context.Context, tenant uuid.UUID, keys []ContractKey) ([]Contract, error)
	//crossfade:write key=c.Region,c.Number
	Save(ctx context.Context, tenant uuid.UUID, c Contract) error
	//crossfade:write keys=cs[].Region,cs[].Number
	SaveAll(ctx context.Context, tenant uuid.UUID, cs []*Contract) error
	//crossfade:write key=key
	Delete(ctx context.Context, tenant uuid.UUID, key ContractKey) error
	//crossfade:list
	Keys(ctx context.Context, tenant uuid.UUID, after *ContractKey, limit int) ([]ContractKey, error)
}

// Code is a key with a text of its own.
type Code [2]byte

// String returns the code as hexadecimal digits.
func (c Code) String() string { return hex.EncodeToString(c[:]) }

// UnmarshalText reads what String returns.
func (c *Code) UnmarshalText(text []byte) error {
	if len(text) != 4 {
		return errors.New("a code has four digits")
	}
	_, err := hex.Decode(c[:], text)
	return err
}

// Voucher is a value of Vouchers.
type Voucher struct {
	Code Code
	Left int
}

// Vouchers has no tenants, and methods without names of parameters.
//
//crossfade:entity tenant=none notfound=ErrNone get=Get put=Save delete=Delete keys=Keys
type Vouchers interface {
	//crossfade:read key=code
	Get(ctx context.Context, code Code) (Voucher, error)
	//crossfade:list
	Count(context.Context) (int, error)
	//crossfade:list
	Between(context.Context, int, int) ([]Voucher, error)
	//crossfade:write key=v.Code
	Save(_ context.Context, v Voucher) error
	//crossfade:write key=code
	Delete(ctx context.Context, code Code) error
	//crossfade:list
	Keys(context.Context, *Code, int) ([]Code, error)
}

// TenantID is a tenant.
type TenantID int32

// Owner is where a device's tenant is found.
type Owner struct{ Tenant TenantID }

type meta struct{ Serial Serial }

// Serial is a key over a basic kind; its String method is for people.
type Serial uint16

func (s Serial) String() string { return "serial" }

// Device is a value of Devices.
type Device struct {
	*meta
	Owner *Owner
	Name  string
}

// NewDevice returns a device.
func NewDevice(tenant TenantID, serial Serial, name string) *Device {
	return &Device{&meta{serial}, &Owner{tenant}, name}
}

// Devices finds tenants and keys inside of values, behind pointers.
//
//crossfade:entity notfound=nil get=Get put=Save delete=Delete keys=Keys
type Devices interface {
	//crossfade:read key=serial
	Get(ctx context.Context, tenantID TenantID, serial Serial) (*Device, error)
	//crossfade:write key=d.Serial tenant=d.Owner.Tenant
	Save(ctx context.Context, d *Device) error
	//crossfade:write key=serial
	Delete(ctx context.Context, serial Serial, tenantID TenantID) error
	//crossfade:list
	Keys(ctx context.Context, tenantID TenantID, after *Serial, limit int) ([]Serial, error)
}

// Settings is a value of AllSettings: one for each tenant.
type Settings struct {
	Tenant string
	Dark   bool
}

// AllSettings has the tenant for its key.
//
//crossfade:entity notfound=ErrNone get=Get put=Save delete=Delete keys=Keys
type AllSettings interface {
	//crossfade:read key=tenant
	Get(ctx context.Context, tenant string) (Settings, error)
	//crossfade:write key=tenant
	Save(ctx context.Context, tenant string, s Settings) error
	//crossfade:write key=tenant
	Delete(ctx context.Context, tenant string) error
	//crossfade:list
	Keys(ctx context.Context, tenant string, after *string, limit int) ([]string, error)
}

// FlagKey has parts of every kind.
type FlagKey struct {
	On   bool
	ID   uuid.UUID
	Code Code
	N    uint8
	S    Serial
	T    TenantID
	Name FlagName
}

// FlagName is a string.
type FlagName string

// Flags has a key of many parts, and nothing else.
//
//crossfade:entity tenant=none notfound=nil get=Get put=Save delete=Delete keys=Keys
type Flags interface {
	//crossfade:read key=key
	Get(ctx context.Context, key FlagKey) (FlagKey, bool, error)
	//crossfade:write key=key
	Save(ctx context.Context, key FlagKey) error
	//crossfade:write key=key
	Delete(ctx context.Context, key FlagKey) error
	//crossfade:list
	Keys(ctx context.Context, after *FlagKey, limit int) ([]FlagKey, error)
}
