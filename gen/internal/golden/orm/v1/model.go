// Package v1 stores invoices by GORM.
package v1

import (
	"context"
	"strings"
	"time"

	"gorm.io/gorm"
)

// InvoiceRow is an invoice.
type InvoiceRow struct {
	Tenant    string `gorm:"primaryKey"`
	Number    int64  `gorm:"primaryKey;autoIncrement:false;column:no"`
	Note      string
	Labels    map[string]string `gorm:"serializer:json"`
	Address   AddressRow        `gorm:"embedded;embeddedPrefix:address_"`
	Lines     []LineRow         `gorm:"foreignKey:Tenant,InvoiceNo;references:Tenant,Number"`
	Seller    *SellerRow        `gorm:"foreignKey:Tenant,InvoiceNo;references:Tenant,Number"`
	CreatedAt time.Time
	UpdatedAt time.Time
	DeletedAt gorm.DeletedAt
}

// AddressRow is embedded in an invoice.
type AddressRow struct{ Street, City string }

// LineRow is a line; its text is kept in capitals, which a hook takes care of.
type LineRow struct {
	Tenant    string `gorm:"primaryKey"`
	InvoiceNo int64  `gorm:"primaryKey;autoIncrement:false"`
	Position  int    `gorm:"primaryKey;autoIncrement:false"`
	Text      string
	Euros     float64
}

// SellerRow belongs to one invoice.
type SellerRow struct {
	Tenant    string `gorm:"primaryKey"`
	InvoiceNo int64  `gorm:"primaryKey;autoIncrement:false"`
	Name      string
}

// TableName implements GORM's interface.
func (InvoiceRow) TableName() string { return "orm_v1.invoices" }

// TableName implements GORM's interface.
func (LineRow) TableName() string { return "orm_v1.lines" }

// TableName implements GORM's interface.
func (SellerRow) TableName() string { return "orm_v1.sellers" }

// BeforeCreate is a hook of GORM's.
func (l *LineRow) BeforeCreate(*gorm.DB) error {
	l.Text = strings.ToUpper(l.Text)
	return nil
}

// Count is written by hand, beside the generated methods.
func (r *Repository) Count(ctx context.Context, tenant string) (int64, error) {
	var n int64
	err := r.orm.WithContext(ctx).Model(&InvoiceRow{}).Where("tenant = ?", tenant).Count(&n).Error
	return n, err
}

// Schema is the SQL that makes the tables.
const Schema = `
create schema orm_v1;
create table orm_v1.invoices (
    tenant text not null, no bigint not null, note text not null, labels jsonb,
    address_street text not null, address_city text not null,
    created_at timestamptz not null, updated_at timestamptz not null, deleted_at timestamptz,
    primary key (tenant, no)
);
create table orm_v1.lines (
    tenant text not null, invoice_no bigint not null, position int not null, text text not null, euros float8 not null,
    primary key (tenant, invoice_no, position),
    foreign key (tenant, invoice_no) references orm_v1.invoices (tenant, no)
);
create table orm_v1.sellers (
    tenant text not null, invoice_no bigint not null, name text not null,
    primary key (tenant, invoice_no),
    foreign key (tenant, invoice_no) references orm_v1.invoices (tenant, no)
);`
